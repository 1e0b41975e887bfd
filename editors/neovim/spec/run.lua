-- Runs the specs inside Neovim: `nvim -u NONE -l spec/run.lua FOLDER-OF-THE-PLUG-IN`. Needs Debian's lua-busted.
local plugin = assert(_G.arg[1], "usage: nvim -u NONE -l spec/run.lua FOLDER")
vim.opt.runtimepath:prepend(plugin)
package.path = "/usr/share/lua/5.1/?.lua;/usr/share/lua/5.1/?/init.lua;" .. package.path
package.cpath = ("/usr/lib/%s-linux-gnu/lua/5.1/?.so;"):format(vim.uv.os_uname().machine) .. package.cpath
_G.arg = { [0] = "spec/run.lua", "--output=TAP", "--pattern=_spec", plugin .. "/spec" }
require("busted.runner")({ standalone = false })
