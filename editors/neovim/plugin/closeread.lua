-- What is there before anybody asks for it; everything else is loaded when it is used.
vim.api.nvim_create_user_command("Closeread", function(call)
  require("closeread.commands").run(call.fargs)
end, {
  nargs = "+",
  desc = "Closeread: security findings and review remarks",
  complete = function(before, line)
    return require("closeread.commands").complete(before, line)
  end,
})
