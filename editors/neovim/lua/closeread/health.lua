--- `:checkhealth closeread`.
local python = require("closeread.python")
local server = require("closeread.server")

local M = {}

local function check_python()
  vim.health.start("Python")
  local found
  python.ask(server.options.python, function(answer)
    found = answer
  end)
  vim.wait(30000, function()
    return found ~= nil
  end, 20)
  if not found then
    vim.health.error("Python does not answer")
  elseif found.problem then
    vim.health.error(found.problem)
  else
    vim.health.ok(("%s is Python %s with Closeread %s"):format(found.path, found.version, found.closeread))
  end
end

local function check_server()
  vim.health.start("Server")
  local clients = vim.lsp.get_clients({ name = "closeread" })
  if not vim.lsp.is_enabled("closeread") then
    vim.health.warn('Closeread is not enabled: `require("closeread").setup()` or `vim.lsp.enable("closeread")`')
  elseif #clients == 0 then
    vim.health.info("no file is open that it reads")
  end
  for _, client in ipairs(clients) do
    local info = client.server_info or {}
    local where = client.root_dir or "single files"
    local buffers = vim.tbl_count(client.attached_buffers)
    vim.health.ok(("%s %s serves %s, %d buffers"):format(info.name or "closeread", info.version or "", where, buffers))
  end
  vim.health.info("log: " .. vim.lsp.get_log_path())
end

function M.check()
  vim.health.start("Neovim")
  if vim.fn.has("nvim-0.11") == 1 then
    vim.health.ok(("Neovim %s"):format(tostring(vim.version())))
  else
    vim.health.error("Neovim 0.11 or later is needed, for `vim.lsp.enable`")
    return
  end
  check_python()
  check_server()
end

return M
