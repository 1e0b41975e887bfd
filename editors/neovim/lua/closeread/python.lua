--- The Python that has Closeread: where it is looked for, and what is wrong with the one that was found.
---
--- In this order: the one named in `setup()`; the one beside the program `closeread` (as pipx, Mason and an active
--- virtual environment install it); `python3` and `python` on the path. The first that there is, is asked once.
local M = {}

---@class closeread.Python
---@field path? string the interpreter
---@field version? string its version: "3.11.7"
---@field closeread? string the version of Closeread in it
---@field problem? string why it will not do, and the way out, for people

local OLDEST = { 3, 11 }
local PATIENCE = 30000 -- milliseconds; a loaded machine starts Python in seconds

-- Runs in any Python 3. The last word is empty where Closeread is not installed.
local QUESTION = [[
import sys
try:
    from importlib import metadata, util
    closeread = metadata.version("closeread") if util.find_spec("closeread") else ""
except Exception:
    closeread = ""
print("closeread-python %d.%d.%d %s" % (sys.version_info[:3] + (closeread,)))
]]

local SETUP = '`require("closeread").setup({ python = "/path/to/python" })`'

---@param named? string the interpreter of the user's choice
---@return string? path
function M.find(named)
  if named then
    return vim.fs.normalize(named)
  end
  local program = vim.fn.exepath("closeread")
  if program ~= "" then
    local folder = vim.fs.dirname(vim.uv.fs_realpath(program) or program)
    for _, name in ipairs({ "python", "python3", "python.exe" }) do
      local beside = vim.fs.joinpath(folder, name)
      if vim.fn.executable(beside) == 1 then
        return beside
      end
    end
  end
  for _, name in ipairs({ "python3", "python" }) do
    local path = vim.fn.exepath(name)
    if path ~= "" then
      return path
    end
  end
end

---@param path string
---@param result vim.SystemCompleted
---@return closeread.Python
local function judge(path, result)
  local version, closeread = (result.stdout or ""):match("closeread%-python (%d+%.%d+%.%d+) ?(%S*)")
  if not version then
    local said = vim.trim(result.stderr or ""):match("[^\n]*$")
    local how = result.code == 124 and "no answer" or ("exit code %d"):format(result.code)
    how = said ~= "" and how .. ": " .. said or how
    return { path = path, problem = ("%s does not run (%s). Name another Python with %s."):format(path, how, SETUP) }
  end
  local found = { path = path, version = version, closeread = closeread ~= "" and closeread or nil }
  if vim.version.lt(version, OLDEST) then
    found.problem = ("%s is Python %s, and Closeread needs 3.11 or later. Name another with %s."):format(path, version, SETUP)
  elseif not found.closeread then
    local way = "Run `%s -m pip install closeread`, or name another Python with %s."
    found.problem = ("Closeread is not installed for %s. " .. way):format(path, path, SETUP)
  end
  return found
end

--- Ask the interpreter what it is.
---@param named? string
---@param answered fun(python: closeread.Python) called on the main loop
function M.ask(named, answered)
  local path = M.find(named)
  if not path then
    local way = "Install Python 3.11 or later and `pip install closeread`, or name one with "
    answered({ problem = "No Python was found. " .. way .. SETUP .. "." })
    return
  end
  local function done(result)
    vim.schedule(function()
      answered(judge(path, result))
    end)
  end
  local options = { text = true, timeout = PATIENCE, cwd = M.folder() }
  local ok, why = pcall(vim.system, { path, "-I", "-c", QUESTION }, options, done)
  if not ok then
    done({ code = 127, stderr = tostring(why):gsub("^.-: ", "", 1) })
  end
end

--- An empty folder of our own, outside every workspace, to run in.
---@return string
function M.folder()
  local folder = vim.fs.joinpath(vim.fn.stdpath("state"), "closeread")
  vim.fn.mkdir(folder, "p", "0o700")
  return folder
end

return M
