local commands = require("closeread.commands")
local files = require("closeread.files")
local findings = require("closeread.findings")
local python = require("closeread.python")
local status = require("closeread.status")

local function buffer(name, filetype)
  local bufnr = vim.api.nvim_create_buf(true, false)
  vim.api.nvim_buf_set_name(bufnr, name)
  vim.bo[bufnr].filetype = filetype
  return bufnr
end

describe("files", function()
  it("are all of a language's, but of shell scripts only those that hold settings", function()
    assert.is_truthy(files.reads(buffer("/p/app.py", "python")))
    assert.is_truthy(files.reads(buffer("/p/.env", "sh")))
    assert.is_truthy(files.reads(buffer("/p/.env.local", "sh")))
    assert.is_falsy(files.reads(buffer("/p/deploy.sh", "sh")))
    assert.is_falsy(files.reads(buffer("/p/environment", "sh")))
  end)
end)

describe("python", function()
  local function asked(named)
    local answer
    python.ask(named, function(found)
      answer = found
    end)
    vim.wait(30000, function()
      return answer ~= nil
    end)
    return answer
  end

  it("is the one that was named", function()
    local named = vim.env.CLOSEREAD_PYTHON
    local found = asked(named)
    assert.are.same(named, found.path)
    assert.is_nil(found.problem)
    assert.is_truthy(found.closeread)
  end)

  it("that cannot be started is a sentence", function()
    assert.is_truthy(asked("/nowhere/python").problem:match("^/nowhere/python does not run %(.+%)%. Name another"))
  end)
end)

describe("status", function()
  local said = { version = "1.2", findings = 1, cache = { hits = 3, misses = 1, rate = 0.75 }, model = vim.NIL, paused = true }

  it("is a word in the status line", function()
    assert.are.same("1 finding (paused)", status.line(said))
    assert.are.same("2 findings", status.line({ findings = 2, paused = false }))
  end)

  it("is a line a fact", function()
    local expected = {
      "Closeread 1.2",
      "findings: 1",
      "cache: 75% of 4 questions answered from memory",
      "model: none",
      "paused: yes",
    }
    assert.are.same(expected, status.lines(said))
  end)

  it("names the model, and says why it failed", function()
    local model = { name = "qwen", state = "busy", memory = 1.2e9, answered = 12, cached = 3, problem = "" }
    local with = vim.tbl_extend("force", said, { model = model })
    assert.are.same("model: qwen (busy, 1.2 GB, 12 questions, 3 from memory)", status.lines(with)[4])
    with.model = { name = "", state = "failed", memory = 0, answered = 0, cached = 0, problem = "its file is gone" }
    assert.are.same("model: its file is gone", status.lines(with)[4])
  end)

  it("is told to whoever listens", function()
    local heard
    vim.api.nvim_create_autocmd("User", {
      pattern = "ClosereadStatus",
      once = true,
      callback = function(event)
        heard = event.data.findings
      end,
    })
    status.received(nil, said)
    assert.are.same(1, heard)
  end)
end)

describe("commands", function()
  it("complete by their first letters, one word only", function()
    assert.are.same({ "report", "restart", "review", "routes" }, commands.complete("r", "Closeread r"))
    assert.are.same({}, commands.complete("c", "Closeread explain c"))
  end)
end)

describe("findings", function()
  local name = vim.fn.tempname() .. ".py"
  local namespace = vim.api.nvim_create_namespace("closeread-spec")
  local bufnr = buffer(name, "python")
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, true, { "a = 1", "b = 2", "c = 3" })
  local step = {
    location = { uri = vim.uri_from_fname(name), range = { start = { line = 0, character = 4 } } },
    message = "it starts here",
  }
  vim.diagnostic.set(namespace, bufnr, {
    { lnum = 1, col = 0, end_col = 1, message = "mild", severity = 3, source = "closeread", code = "mild-rule" },
    { lnum = 2, col = 0, end_col = 1, message = "other", severity = 1, source = "another tool" },
    {
      lnum = 2,
      col = 0,
      end_col = 1,
      message = "grave",
      severity = 1,
      source = "closeread",
      code = "grave-rule",
      user_data = { lsp = { relatedInformation = { step } } },
    },
  })

  it("are listed worst first, each with its trace, and no other tool's", function()
    findings.list()
    local texts = vim.tbl_map(function(item)
      return item.text
    end, vim.fn.getqflist())
    assert.are.same({ "grave [grave-rule]", "  1. it starts here", "mild [mild-rule]" }, texts)
  end)

  it("are found under the cursor", function()
    vim.cmd("cclose")
    vim.api.nvim_set_current_buf(bufnr)
    vim.api.nvim_win_set_cursor(0, { 3, 0 })
    assert.are.same("grave-rule", findings.here().code)
    vim.api.nvim_win_set_cursor(0, { 1, 0 })
    assert.is_nil(findings.here())
  end)
end)
