---@brief
---
--- https://github.com/closeread/closeread
---
--- Closeread: security findings with their data flow, and review remarks. Nothing leaves the machine.
---
--- Install the server with `pipx install closeread` or `:MasonInstall closeread`. Commands, traces as lists, and a
--- server that comes back when it was lost are in the plug-in, `editors/neovim` of the same repository.

---@type vim.lsp.Config
return {
  cmd = { "closeread", "serve" },
  filetypes = {
    "cfg",
    "dockerfile",
    "dosini",
    "html",
    "htmldjango",
    "javascript",
    "javascriptreact",
    "jinja",
    "jproperties",
    "json",
    "jsonc",
    "mako",
    "python",
    "toml",
    "yaml",
  },
  root_markers = { "closeread.toml", "pyproject.toml", "package.json", ".git" },
  settings = { closeread = {} },
}
