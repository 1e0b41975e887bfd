--- Findings and their traces as lists to walk through. Neovim keeps a diagnostic's related places and shows them nowhere.
local M = {}

---@param bufnr? integer
---@return vim.Diagnostic[]
local function all(bufnr)
  return vim.tbl_filter(function(diagnostic)
    return diagnostic.source == "closeread"
  end, vim.diagnostic.get(bufnr))
end

--- The finding under the cursor, or else the first of its line.
---@return vim.Diagnostic?
function M.here()
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  local first
  for _, diagnostic in ipairs(all(0)) do
    if diagnostic.lnum == row - 1 then
      first = first or diagnostic
      if diagnostic.col <= column and column < diagnostic.end_col then
        return diagnostic
      end
    end
  end
  return first
end

--- A finding's steps as entries of a list.
---@param diagnostic vim.Diagnostic
---@return table[]
local function steps(diagnostic)
  local related = vim.tbl_get(diagnostic, "user_data", "lsp", "relatedInformation") or {}
  local entries = {}
  for number, step in ipairs(related) do
    local start = step.location.range.start
    table.insert(entries, {
      filename = vim.uri_to_fname(step.location.uri),
      lnum = start.line + 1,
      col = start.character + 1,
      text = ("  %d. %s"):format(number, step.message),
    })
  end
  return entries
end

local KINDS = { "E", "W", "I", "N" }

---@param diagnostic vim.Diagnostic
---@return table
local function entry(diagnostic)
  return {
    bufnr = diagnostic.bufnr,
    lnum = diagnostic.lnum + 1,
    col = diagnostic.col + 1,
    type = KINDS[diagnostic.severity],
    text = ("%s [%s]"):format(diagnostic.message, diagnostic.code),
  }
end

--- All findings, worst first, each followed by its trace.
function M.list()
  local found = all()
  table.sort(found, function(one, other)
    local a = { one.severity, vim.api.nvim_buf_get_name(one.bufnr), one.lnum, one.col }
    local b = { other.severity, vim.api.nvim_buf_get_name(other.bufnr), other.lnum, other.col }
    for place = 1, #a do
      if a[place] ~= b[place] then
        return a[place] < b[place]
      end
    end
    return false
  end)
  local entries = {}
  for _, diagnostic in ipairs(found) do
    table.insert(entries, entry(diagnostic))
    vim.list_extend(entries, steps(diagnostic))
  end
  vim.fn.setqflist({}, " ", { title = "Closeread: " .. require("closeread.status").counted(#found), items = entries })
  vim.cmd("botright copen")
end

--- The steps of the finding under the cursor.
function M.trace()
  local diagnostic = M.here()
  if not diagnostic then
    require("closeread.server").tell("there is no finding on this line.", vim.log.levels.WARN)
    return
  end
  vim.fn.setloclist(0, {}, " ", { title = diagnostic.message, items = vim.list_extend({ entry(diagnostic) }, steps(diagnostic)) })
  vim.cmd("lopen")
end

return M
