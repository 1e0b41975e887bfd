-- Files that Closeread reads and Neovim has no filetype for.
vim.filetype.add({
  extension = { containerfile = "dockerfile", djhtml = "htmldjango", j2 = "jinja", jinja2 = "jinja", mak = "mako", mako = "mako" },
  filename = { [".flaskenv"] = "sh", containerfile = "dockerfile" },
  pattern = { ["%.env%..+"] = "sh", ["[Cc]ontainerfile%..+"] = "dockerfile", ["[Dd]ockerfile%..+"] = "dockerfile" },
})
