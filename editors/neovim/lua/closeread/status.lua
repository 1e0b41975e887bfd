--- What the server last said of itself, for a status line.
local M = {}

---@class closeread.Status
---@field version string
---@field findings integer
---@field cache { hits: integer, misses: integer, rate: number }
---@field model? table
---@field paused boolean

M.last = nil ---@type closeread.Status?

--- The handler of `closeread/status`.
---@param _ any
---@param status closeread.Status
function M.received(_, status)
  M.last = status
  vim.api.nvim_exec_autocmds("User", { pattern = "ClosereadStatus", data = status })
  vim.cmd.redrawstatus()
end

--- "3 findings", "" before the server has said anything.
---@param status? closeread.Status
---@return string
function M.line(status)
  status = status or M.last
  if not status then
    return ""
  end
  local found = status.findings == 1 and "1 finding" or ("%d findings"):format(status.findings)
  return status.paused and found .. " (paused)" or found
end

--- Everything, a fact a line.
---@param status closeread.Status
---@return string[]
function M.lines(status)
  local model = status.model
  local named = type(model) == "table" and (model.name or vim.inspect(model)) or "none"
  local cache = status.cache
  return {
    ("Closeread %s"):format(status.version),
    ("findings: %d"):format(status.findings),
    ("cache: %d%% of %d questions answered from memory"):format(
      math.floor((cache.rate or 0) * 100 + 0.5),
      cache.hits + cache.misses
    ),
    ("model: %s"):format(named),
    ("paused: %s"):format(status.paused and "yes" or "no"),
  }
end

return M
