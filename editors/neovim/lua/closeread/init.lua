--- Closeread for Neovim 0.11 and later: `require("closeread").setup()`. See `:help closeread`.
local M = {}

---@class closeread.Options
---@field python? string the Python that has Closeread; looked for where not given
---@field settings? table<string, any> the server's settings, as in closeread.toml: { minSeverity = "medium" }
---@field debounce? integer milliseconds that Neovim holds edits back; 0 by default
---@field code_lens? boolean whether code lenses are shown; true by default

--- Use Closeread in every buffer whose file it reads. May be called again: what changes takes effect at once.
---@param options? closeread.Options
function M.setup(options)
  local server = require("closeread.server")
  options = options or {}
  vim.validate("python", options.python, "string", true)
  vim.validate("settings", options.settings, "table", true)
  vim.validate("debounce", options.debounce, "number", true)
  vim.validate("code_lens", options.code_lens, "boolean", true)
  local other_python = options.python ~= server.options.python
  server.options = options
  vim.lsp.config("closeread", {
    settings = { closeread = options.settings or vim.empty_dict() },
    flags = { debounce_text_changes = options.debounce or 0 },
  })
  if other_python then
    server.forget()
  end
  M.configure(options.settings or {})
  vim.lsp.enable("closeread")
end

--- Change settings of the running server; it is not restarted.
---@param settings table<string, any> all of them: what is not named is as in the project's own files
function M.configure(settings)
  local sent = { closeread = next(settings) and settings or vim.empty_dict() }
  for _, client in ipairs(vim.lsp.get_clients({ name = "closeread" })) do
    client.settings = sent
    client:notify("workspace/didChangeConfiguration", { settings = sent })
  end
end

--- A word for a status line: "3 findings".
---@return string
function M.status()
  return require("closeread.status").line()
end

return M
