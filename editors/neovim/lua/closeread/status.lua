--- What the server last said of itself, for a status line.
local M = {}

---@class closeread.Status
---@field version string
---@field findings integer
---@field cache { hits: integer, misses: integer, rate: number }
---@field model? closeread.Model
---@field paused boolean

---@class closeread.Model
---@field name string
---@field state "stopped"|"starting"|"ready"|"busy"|"failed"
---@field memory integer bytes
---@field answered integer
---@field cached integer
---@field problem string why it failed

M.last = nil ---@type closeread.Status?

--- The handler of `closeread/status`.
---@param _ any
---@param status closeread.Status
function M.received(_, status)
  M.last = status
  vim.api.nvim_exec_autocmds("User", { pattern = "ClosereadStatus", data = status })
  vim.cmd.redrawstatus()
end

--- "1 finding", "2 findings".
---@param findings integer
---@return string
function M.counted(findings)
  return findings == 1 and "1 finding" or ("%d findings"):format(findings)
end

--- "3 findings", "" before the server has said anything.
---@param status? closeread.Status
---@return string
function M.line(status)
  status = status or M.last
  if not status then
    return ""
  end
  local found = M.counted(status.findings)
  return status.paused and found .. " (paused)" or found
end

--- Its name and state, the memory it takes, how many questions were answered, and how many of them from memory.
---@param model closeread.Model
---@return string
local function of_model(model)
  if model.problem ~= "" then
    return model.problem
  end
  local facts = { model.state }
  if model.memory > 0 then
    table.insert(facts, ("%.1f GB"):format(model.memory / 1e9))
  end
  if model.answered > 0 then
    table.insert(facts, ("%d questions, %d from memory"):format(model.answered, model.cached))
  end
  return ("%s (%s)"):format(model.name, table.concat(facts, ", "))
end

--- Everything, a fact a line.
---@param status closeread.Status
---@return string[]
function M.lines(status)
  local model = status.model
  local named = type(model) == "table" and of_model(model) or "none"
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
