--- Which buffers Closeread is for. A test compares this with what the server reads.
local M = {}

M.filetypes = {
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
  "sh", -- of these only files of settings: `.env`
  "toml",
  "yaml",
}

M.root_markers = { "closeread.toml", "pyproject.toml", "package.json", ".git" }

--- Whether the server reads this buffer's file.
---@param bufnr integer
---@return boolean
function M.reads(bufnr)
  local name = vim.fs.basename(vim.api.nvim_buf_get_name(bufnr))
  return vim.bo[bufnr].filetype ~= "sh" or name:match("%.env$") or name:match("^%.env%.") or name == ".envrc" or name == ".flaskenv"
end

return M
