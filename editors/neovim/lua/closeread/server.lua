--- The server's life: found, started isolated, started again when it was lost.
local files = require("closeread.files")
local python = require("closeread.python")

local M = {}

--- What `setup()` was given.
M.options = {} ---@type closeread.Options

local LOST_WITHIN = 3 * 60 * 1000 -- milliseconds
local LOST_TOO_OFTEN = 5 -- as the client of VS Code has it

local found ---@type closeread.Python?
local waiting ---@type fun(python: closeread.Python)[]?
local asked_to_end = setmetatable({}, { __mode = "k" }) ---@type table<vim.lsp.rpc.PublicClient, true>
local losses = {} ---@type integer[]

--- Say one sentence.
---@param message string
---@param level? integer
function M.tell(message, level)
  vim.notify("Closeread: " .. message, level or vim.log.levels.INFO)
end

--- Look for Python anew: the next start asks again, and may complain again.
function M.forget()
  found, losses = nil, {}
end

--- The Python that is in use, as soon as it has answered. What is wrong with it is said once.
---@param answered fun(python: closeread.Python)
function M.python(answered)
  if found then
    answered(found)
    return
  end
  if waiting then
    table.insert(waiting, answered)
    return
  end
  waiting = { answered }
  python.ask(M.options.python, function(answer)
    local callbacks = waiting or {}
    found, waiting = answer, nil
    if answer.problem then
      M.tell(answer.problem, vim.log.levels.ERROR)
    end
    for _, callback in ipairs(callbacks) do
      callback(answer)
    end
  end)
end

--- Where a buffer's project starts; without a usable Python there is none, and so no client.
---@param bufnr integer
---@param on_dir fun(root?: string)
function M.root_dir(bufnr, on_dir)
  if not files.reads(bufnr) then
    return
  end
  M.python(function(answer)
    if not answer.problem and vim.api.nvim_buf_is_valid(bufnr) then
      on_dir(vim.fs.root(bufnr, files.root_markers))
    end
  end)
end

--- Start the process. Isolated: nothing of the workspace or the environment gets onto its import path.
---@param dispatchers vim.lsp.rpc.Dispatchers
---@return vim.lsp.rpc.PublicClient
function M.start(dispatchers)
  local path = assert(found and found.path, "closeread: no Python")
  local rpc = vim.lsp.rpc.start({ path, "-I", "-m", "closeread", "serve" }, dispatchers, { cwd = python.folder() })
  local terminate, notify = rpc.terminate, rpc.notify
  rpc.terminate = function(...)
    asked_to_end[rpc] = true
    return terminate(...)
  end
  rpc.notify = function(method, ...)
    asked_to_end[rpc] = asked_to_end[rpc] or method == "exit" or nil
    return notify(method, ...)
  end
  return rpc
end

--- The process has ended. One that nobody had asked to is started again, with all of its buffers.
---@param code integer
---@param signal integer
---@param client_id integer
function M.on_exit(code, signal, client_id)
  local client = vim.lsp.get_client_by_id(client_id)
  if not client or asked_to_end[client.rpc] then
    return
  end
  local buffers = vim.tbl_keys(client.attached_buffers)
  local now = vim.uv.now()
  losses = vim.tbl_filter(function(at)
    return now - at < LOST_WITHIN
  end, losses)
  table.insert(losses, now)
  local too_often = #losses >= LOST_TOO_OFTEN
  vim.defer_fn(function()
    if vim.v.exiting ~= vim.NIL then
      return
    end
    if too_often then
      local how = signal ~= 0 and ("signal %d"):format(signal) or ("exit code %d"):format(code)
      local what = "the server ended %d times in three minutes (%s) and is not started again. "
      M.tell((what .. "See `:Closeread log`; then `:Closeread restart`."):format(#losses, how), vim.log.levels.ERROR)
      return
    end
    M.attach(client.config, buffers)
  end, 50) -- once Neovim has put the old client away
end

--- Start a client for these buffers.
---@param config vim.lsp.ClientConfig
---@param buffers integer[]
function M.attach(config, buffers)
  for _, bufnr in ipairs(buffers) do
    if vim.api.nvim_buf_is_loaded(bufnr) then
      vim.lsp.start(config, { bufnr = bufnr })
    end
  end
end

--- The client of a buffer, or any.
---@param bufnr? integer
---@return vim.lsp.Client?
function M.client(bufnr)
  return vim.lsp.get_clients({ name = "closeread", bufnr = bufnr })[1] or vim.lsp.get_clients({ name = "closeread" })[1]
end

return M
