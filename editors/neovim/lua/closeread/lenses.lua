--- Code lenses, which Neovim shows only to those who ask for them again and again.
local M = {}

--- Keep the lenses of a buffer fresh, if the server has any.
---@param client vim.lsp.Client
---@param bufnr integer
function M.attach(client, bufnr)
  if require("closeread.server").options.code_lens == false or not client:supports_method("textDocument/codeLens") then
    return
  end
  local function refresh()
    vim.lsp.codelens.refresh({ bufnr = bufnr })
  end
  local group = vim.api.nvim_create_augroup("closeread.lenses." .. bufnr, {})
  vim.api.nvim_create_autocmd({ "BufEnter", "InsertLeave", "BufWritePost" }, {
    group = group,
    buffer = bufnr,
    callback = refresh,
  })
  refresh()
end

return M
