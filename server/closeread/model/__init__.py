"""A local model: a librarian, a teacher and a mender. It is asked narrow questions and decides nothing alone.

    known.toml known.py     the models we know by name: what their bytes must be, and where they can be had
    gguf.py                 what a model file says of itself, read without loading it
    shelf.py                the models this user has, and the one in use: a file, or what a server gives
    download.py             opens a connection, for `closeread model pull` alone
    address.py serving.py   where a server of models is, and what it gives; asked in the process below

    evaluation.py           what a model is good for: its questions are evaluation.toml; the gate of what only good ones may do
    quantisation.py         a model's file made smaller, in a child of its own

    librarian.py            what does this library's call do with data? Its questions are librarian.toml, what ships shipped.tsv
    mender.py redaction.py  a few lines written anew, believed as far as they were checked; secrets leave before a prompt is made
    teacher.py              a finding explained in a model's words, of which only those are kept that name what is there
    reviewer.py             a few remarks on changed functions, of a model that passed the evaluation
    standard_library.py     which names there are that a proposal may use
    question.py             what is asked and answered, as data
    assistant.py            questions in, answers out: from memory (answers.py) or from the process
    process.py              the process, as its parent sees it: started on need, given back, restarted, refused
    worker.py               the process's own end of the pipes
    engine.py               what answers there, one interface; it has two:
      scheduler.py          many questions at once: what they share is computed once, urgent ones overtake
        llama.py            the one module that knows llama.cpp, imported in that process alone
      endpoint.py           a server that speaks OpenAI's protocol; opens a connection, in that process alone

Without a model, and without the extra that runs one, everything else works as if this folder were not here.
"""
