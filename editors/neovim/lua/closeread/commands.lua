--- `:Closeread`: one entry a command. Those with `asks` are the server's, and offered only if it has them.
local findings = require("closeread.findings")
local python = require("closeread.python")
local server = require("closeread.server")
local status = require("closeread.status")

local M = {}

---@class closeread.Command
---@field help string
---@field asks? string the command of the server
---@field arguments? fun(words: string[]): any[] what to ask with
---@field show? fun(answer: any, arguments: any[]) what to do with the answer; the server speaks for itself where there is none
---@field run? fun(words: string[]) instead of asking

--- A text in a window of its own, closed with `q`.
---@param text string
---@return integer bufnr
local function page(text)
  vim.cmd("botright new")
  local bufnr = vim.api.nvim_get_current_buf()
  vim.bo[bufnr].buftype = "nofile"
  vim.bo[bufnr].bufhidden = "wipe"
  vim.bo[bufnr].swapfile = false
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, true, vim.split(text, "\n"))
  vim.bo[bufnr].modifiable = false
  vim.bo[bufnr].filetype = "markdown"
  vim.keymap.set("n", "q", "<Cmd>close<CR>", { buffer = bufnr, desc = "Close" })
  return bufnr
end

local explanation ---@type integer? the buffer of what was explained last

--- An explanation, or what the local model has written of it so far: the page grows, and stays closed once it was closed.
---@param text string
local function explained(text)
  if not explanation then
    explanation = page(text)
  elseif vim.api.nvim_buf_is_valid(explanation) then
    vim.bo[explanation].modifiable = true
    vim.api.nvim_buf_set_lines(explanation, 0, -1, true, vim.split(text, "\n"))
    vim.bo[explanation].modifiable = false
  end
end

--- The handler of `closeread/explanation`.
---@param _ any
---@param said { uri: string, line: integer, markdown: string, done: boolean }
function M.written(_, said)
  explained(said.markdown)
end

local function counted(answer)
  if type(answer) == "table" and answer.findings then
    server.tell(status.counted(answer.findings))
  end
end

--- Scan every folder with the command line, and open its HTML report in the browser.
---@param client vim.lsp.Client?
local function report(client)
  local folders = client and client.workspace_folders or { { name = vim.fn.getcwd() } }
  server.python(function(found)
    if found.problem then
      return
    end
    local page_file = vim.fs.joinpath(python.folder(), "report.html")
    local command = { found.path, "-I", "-m", "closeread", "analyze", "--format", "html", "--output", page_file }
    for _, folder in ipairs(folders) do
      vim.list_extend(command, { "--path", folder.name })
    end
    server.tell("scanning for the report.")
    vim.system(command, { text = true, cwd = python.folder() }, function(result)
      vim.schedule(function()
        if result.code ~= 0 then
          server.tell(vim.trim(result.stderr), vim.log.levels.ERROR)
          return
        end
        server.tell("the report is in " .. page_file)
        vim.ui.open(page_file)
      end)
    end)
  end)
end

M.commands = { ---@type table<string, closeread.Command>
  scan = { help = "scan the workspace", asks = "closeread.scanWorkspace", show = counted },
  staged = { help = "scan what is staged for commit", asks = "closeread.scanStaged", show = counted },
  review = {
    help = "review a commit: the last one, or the one named",
    asks = "closeread.reviewCommit",
    arguments = function(words)
      return words
    end,
  },
  explain = {
    help = "the finding under the cursor step by step, or the page of the rule that is named",
    asks = "closeread.explain",
    arguments = function(words)
      if words[1] then
        return { words[1] }
      end
      explanation = nil
      return { vim.uri_from_bufnr(0), vim.api.nvim_win_get_cursor(0)[1] - 1 }
    end,
    show = function(text, arguments)
      (#arguments == 1 and page or explained)(text)
    end,
  },
  why = {
    help = "why this line was, or was not, reported",
    asks = "closeread.why",
    arguments = function()
      return { vim.uri_from_bufnr(0), vim.api.nvim_win_get_cursor(0)[1] - 1 }
    end,
    show = page,
  },
  routes = { help = "the routes of the application", asks = "closeread.showRoutes", show = page },
  status = {
    help = "findings, cache and model",
    asks = "closeread.status",
    show = function(answer)
      page(table.concat(status.lines(answer), "\n"))
    end,
  },
  clear = { help = "forget everything that was remembered", asks = "closeread.clearCache" },
  model = { help = "restart the model", asks = "closeread.restartModel" },
  pull = {
    help = "download the model, in a terminal",
    run = function()
      local question = "Download the local model? It is a gigabyte, once, and the only thing that Closeread ever gets from outside."
      if vim.fn.confirm(question, "&Download\n&Cancel", 2, "Question") ~= 1 then
        return
      end
      server.python(function(found)
        if not found.problem then
          vim.cmd("botright new")
          vim.fn.jobstart({ found.path, "-I", "-m", "closeread", "model", "pull" }, { term = true, cwd = python.folder() })
        end
      end)
    end,
  },
  report = {
    help = "the whole workspace as one page, in the browser",
    run = function()
      report(server.client(vim.api.nvim_get_current_buf()))
    end,
  },
  findings = { help = "all findings with their traces, in the quickfix list", run = findings.list },
  trace = { help = "the trace of the finding under the cursor, in the location list", run = findings.trace },
  restart = {
    help = "start the server anew",
    run = function()
      server.forget()
      vim.lsp.enable("closeread", false)
      vim.lsp.enable("closeread", true)
    end,
  },
  log = {
    help = "open the log",
    run = function()
      vim.cmd.tabedit(vim.fn.fnameescape(vim.lsp.get_log_path()))
    end,
  },
}

---@param client vim.lsp.Client?
---@param name string
local function has(client, name)
  local offered = client and vim.tbl_get(client.server_capabilities or {}, "executeCommandProvider", "commands") or {}
  return vim.tbl_contains(offered, name)
end

---@param words string[]
function M.run(words)
  local name = table.remove(words, 1)
  local command = M.commands[name]
  if not command then
    server.tell(("there is no command %s; there are %s."):format(name, table.concat(M.names(), ", ")), vim.log.levels.ERROR)
    return
  end
  if command.run then
    command.run(words)
    return
  end
  local client = server.client(vim.api.nvim_get_current_buf())
  if not client then
    server.tell("the server is not running; open a file that it reads, or see `:checkhealth closeread`.", vim.log.levels.ERROR)
    return
  end
  if not has(client, command.asks) then
    server.tell(("this version of the server cannot do that: %s"):format(command.help), vim.log.levels.ERROR)
    return
  end
  local arguments = command.arguments and command.arguments(words) or {}
  client:request("workspace/executeCommand", { command = command.asks, arguments = arguments }, function(err, answer)
    if err then
      server.tell(err.message, vim.log.levels.ERROR)
    elseif command.show and answer ~= nil and answer ~= vim.NIL then
      command.show(answer, arguments)
    end
  end)
end

--- The commands that can be given now, by name.
---@return string[]
function M.names()
  local client = server.client()
  local names = {}
  for name, command in pairs(M.commands) do
    if not command.asks or not client or has(client, command.asks) then
      table.insert(names, name)
    end
  end
  table.sort(names)
  return names
end

---@param before string what stands before the cursor in the word
---@param line string
---@return string[]
function M.complete(before, line)
  if line:match("^%s*Closeread!?%s+%S+%s") then
    return {}
  end
  return vim.tbl_filter(function(name)
    return vim.startswith(name, before)
  end, M.names())
end

return M
