std = "luajit"
globals = { "vim" }
max_line_length = 140
files["spec"] = { std = "+busted" }
