"""Random small projects, and random edits of their files. Many are not valid programs, and must not matter."""

from __future__ import annotations

import random

PATHS = ["a.py", "b.py", "pkg/__init__.py", "pkg/c.py", "pkg/d.py"]
MODS = {"a.py":"a","b.py":"b","pkg/__init__.py":"pkg","pkg/c.py":"pkg.c","pkg/d.py":"pkg.d"}
FUN = ["f","g","h","k"]
CLS = ["A","B","C"]
VARS = ["x","y","z"]

def expr(source, depth=0):
    c = source.randrange(16)
    if depth>2: c = source.randrange(3)
    if c==0: return 'flask.request.args["q"]'
    if c==1: return source.choice(VARS)
    if c==2: return source.choice(['"s"','1','None','CONST','LIST'])
    if c in (3,4): return f"{source.choice(FUN)}({expr(source,depth+1)})"
    if c==5: return f"{source.choice(CLS)}({expr(source,depth+1)}).{source.choice(FUN)}({expr(source,depth+1)})"
    if c==6: return f"{expr(source,depth+1)} + {expr(source,depth+1)}"
    if c==7: return f"m.{source.choice(FUN)}({expr(source,depth+1)})"
    if c==8: return f"self.{source.choice(VARS)}"
    if c==9: return f"self.{source.choice(FUN)}({expr(source,depth+1)})"
    if c==10: return f"[{expr(source,depth+1)}, {expr(source,depth+1)}][0]"
    if c==11: return f"{{'k': {expr(source,depth+1)}}}"
    if c==12: return f"{source.choice(VARS)}['k']"
    if c==13: return f"(lambda v: {expr(source,depth+1)})({expr(source,depth+1)})"
    if c==14: return f"{source.choice(CLS)}.{source.choice(FUN)}({expr(source,depth+1)})"
    return f"({expr(source,depth+1)} if {expr(source,depth+1)} else {expr(source,depth+1)})"

def stmts(source, ind, depth=0):
    out=[]
    for _ in range(source.randint(1,3)):
        c=source.randrange(14)
        p="    "*ind
        if c<=2: out.append(f"{p}{source.choice(VARS)} = {expr(source)}")
        elif c<=4: out.append(f"{p}os.system({expr(source)})")
        elif c==5: out.append(f"{p}return {expr(source)}")
        elif c==6 and depth<2: out += [f"{p}if {expr(source)}:"]+stmts(source,ind+1,depth+1)
        elif c==7: out.append(f"{p}self.{source.choice(VARS)} = {expr(source)}")
        elif c==8 and depth<2: out += [f"{p}for {source.choice(VARS)} in {expr(source)}:"]+stmts(source,ind+1,depth+1)
        elif c==9: out.append(f"{p}{source.choice(VARS)}.append({expr(source)})")
        elif c==10 and depth<1: out += [f"{p}def inner(v):"]+stmts(source,ind+1,depth+1)+[f"{p}{source.choice(VARS)} = inner({expr(source)})"]
        elif c==11: out.append(f"{p}{source.choice(VARS)}['k'] = {expr(source)}")
        elif c==12: out.append(f"{p}global {source.choice(['CONST','LIST'])}")
        else: out.append(f"{p}pass")
    return out

def func(source, ind=0, method=False):
    n=source.choice(FUN)
    p="    "*ind
    out=[]
    if method: 
        n=source.choice(FUN+["__init__"])
        if source.random()<.15: out.append(p+source.choice(["@property","@classmethod","@staticmethod"]))
    elif source.random()<.1: out.append(p+"@app.route('/<x>')")
    params = (["self"] if method else []) + source.sample(VARS, source.randint(0,2))
    out.append(f"{p}{'async ' if source.random()<.1 else ''}def {n}({', '.join(params)}):")
    return out+stmts(source,ind+1)

def module_stmt(source):
    c=source.randrange(8)
    if c==0: return [f"CONST = {expr(source)}"]
    if c==1: return [f"LIST = [{expr(source)}]"]
    if c==2: return [f"os.system({expr(source)})"]
    if c==3: return [f"{source.choice(VARS)} = {expr(source)}"]
    if c==4: return ["if __name__ == '__main__':", f"    {source.choice(VARS)} = {expr(source)}"]
    if c==5: return [f"LIST.append({expr(source)})"]
    if c==6: return ["# a comment"]
    return [f"app = flask.Flask('x')"]

def imp(source):
    c=source.randrange(6)
    m=source.choice(list(MODS.values()))
    n=source.choice(FUN+CLS+["CONST","LIST","x"])
    if c<=2: return [f"from {m} import {n}"]
    if c==3: return [f"import {m} as m"]
    if c==4: return [f"from .{source.choice(['c','d'])} import {n}"]
    return [f"from {m} import *"]

def cls(source):
    base=source.choice(["","",f"({source.choice(CLS)})"])
    out=[f"class {source.choice(CLS)}{base}:"]
    for _ in range(source.randint(1,3)):
        if source.random()<.25: out.append(f"    {source.choice(VARS)} = {expr(source)}")
        else: out += func(source,1,True)
    return out

def block(source):
    c=source.randrange(10)
    if c<4: return func(source)
    if c<6: return cls(source)
    if c<8: return imp(source)
    return module_stmt(source)

def module(source):
    blocks=[["import os, flask"]]+[block(source) for _ in range(source.randint(2,6))]
    return "\n".join("\n".join(b) for b in blocks)+"\n"

def mutate(source, text):
    lines=text.split("\n")
    c=source.randrange(7)
    if c==0: lines.insert(source.randint(0,len(lines)), "")
    elif c==1: 
        i=source.randint(0,len(lines)); lines[i:i]=block(source)
    elif c==2 and len(lines)>2: del lines[source.randrange(len(lines))]
    elif c==3:
        i=source.randrange(len(lines)); ind=len(lines[i])-len(lines[i].lstrip()); lines.insert(i, " "*ind+"pass # inserted")
    elif c==4:
        i=source.randrange(len(lines)); lines[i]=lines[i].replace(source.choice(FUN+VARS+CLS), source.choice(FUN+VARS+CLS))
    elif c==5:
        i=source.randrange(len(lines)); ind=len(lines[i])-len(lines[i].lstrip()); lines.insert(i, " "*ind+"os.system("+expr(source)+")")
    else:
        i=source.randrange(len(lines)); lines[i]=lines[i]+"  # note"
    return "\n".join(lines)



def byte_edit(old, new):
    """The edit between two texts as bytes: start, old end, new end."""
    before, after = old.encode(), new.encode()
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    return start, len(before) - end, len(after) - end
