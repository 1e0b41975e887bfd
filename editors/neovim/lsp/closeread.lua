---@brief
---
--- Closeread: security findings with their data flow, and review remarks. Nothing leaves the machine.
---
--- The server is a Python package (3.11 or later): `pip install closeread`. It is started isolated (`python -I`), in
--- a folder outside the workspace. These are the defaults; `require("closeread").setup()` lays your choices over them.

local server = require("closeread.server")

return {
  cmd = server.start,
  filetypes = require("closeread.files").filetypes,
  root_dir = server.root_dir,
  -- Neovim 0.11 asks for diagnostics of visible buffers only, and cannot be told to ask again: have them sent.
  capabilities = { textDocument = { diagnostic = vim.NIL } },
  on_init = function(client)
    client.server_capabilities.diagnosticProvider = nil
  end,
  on_attach = require("closeread.lenses").attach,
  on_exit = server.on_exit,
  handlers = {
    ["closeread/status"] = require("closeread.status").received,
    ["closeread/explanation"] = function(...)
      require("closeread.commands").written(...)
    end,
  },
  -- What code lenses run: the answer is a page to show.
  commands = {
    ["closeread.showRoutes"] = function()
      require("closeread.commands").run({ "routes" })
    end,
  },
  settings = { closeread = vim.empty_dict() },
  -- The server waits out bursts of edits by itself, and drops work that a later edit has made stale.
  flags = { debounce_text_changes = 0 },
}
