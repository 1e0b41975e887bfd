"""llama.cpp with one model: texts to tokens, batches of tokens to scores of the next one. The only user of `llama_cpp`.

Sequences are numbered; each has its own positions, and one may begin with a copy of another's (`fork`), which costs
nothing. Only the model's process imports this module. Deliberately absent: whose tokens they are, and in which order
they are computed (`scheduler.py`).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import llama_cpp.llama_cpp as c
import numpy as np

from .engine import Unusable

BATCH = 256
"""Most tokens of one batch."""

_ABORTED = 2
_PIECE_BYTES = 256
_MARK = "\ue000closeread\ue000"
_TOP_P = 0.95


@dataclass(frozen=True, slots=True)
class Portion:
    """Tokens of one sequence for a batch, the first of them at `position`; `scored`: the last one's scores are wanted."""

    sequence: int
    position: int
    tokens: Sequence[int]
    scored: bool


class Llama:
    """One loaded model. Not thread-safe, but for `aborted`, which is asked in the middle of `decode`."""

    def __init__(self, path: Path, context: int, sequences: int, threads: int, aborted: Callable[[], bool]) -> None:
        """Loads the model; `context` is the room for the tokens of all `sequences`. Raises `Unusable`."""
        self._said: list[str] = []
        self._log = c.llama_log_callback(self._hear)
        c.llama_log_set(self._log, ctypes.c_void_p(0))
        c.llama_backend_init()
        settings = c.llama_model_default_params()
        self.gpu = bool(c.llama_supports_gpu_offload())
        settings.n_gpu_layers = -1 if self.gpu else 0
        model = c.llama_model_load_from_file(str(path).encode(), settings)
        if not model:
            raise Unusable(f"llama.cpp cannot load {path} ({self._why()})")
        self._model = model
        self._vocabulary = c.llama_model_get_vocab(model)
        self.words = int(c.llama_vocab_n_tokens(self._vocabulary))
        options = c.llama_context_default_params()
        options.n_ctx = min(context, int(c.llama_model_n_ctx_train(model)) or context)
        options.n_batch = options.n_ubatch = BATCH
        options.n_seq_max = sequences
        options.n_threads = options.n_threads_batch = threads
        options.kv_unified = True
        self._abort = c.ggml_abort_callback(lambda _: aborted())
        options.abort_callback = self._abort
        made = c.llama_init_from_model(model, options)
        if not made:
            raise Unusable(f"llama.cpp cannot load {path} ({self._why()})")
        self._context = made
        self._memory = c.llama_get_memory(made)
        self.room = int(c.llama_n_ctx(made))
        self._batch = c.llama_batch_init(BATCH, 0, 1)

    def close(self) -> None:
        """Give everything back."""
        c.llama_batch_free(self._batch)
        c.llama_free(self._context)
        c.llama_model_free(self._model)

    def _hear(self, level: int, text: bytes, _: ctypes.c_void_p) -> None:
        if level in (3, 4):  # a warning, an error
            self._said = [*self._said[-4:], text.decode("utf-8", "replace").strip()]

    def _why(self) -> str:
        return " ".join(self._said)[-400:] or "llama.cpp does not say why"

    # --- Texts ------------------------------------------------------------------------------------

    def conversation(self, system: str) -> tuple[str, str]:
        """What stands before a user's words and after them, as this model was taught: its chat template's texts."""
        template = c.llama_model_chat_template(self._model, None)
        messages = (c.llama_chat_message * 2)()
        messages[0].role, messages[0].content = b"system", system.encode()
        messages[1].role, messages[1].content = b"user", _MARK.encode()
        size = 4 * (len(system.encode()) + len(_MARK)) + 4096
        buffer = ctypes.create_string_buffer(size)
        length = c.llama_chat_apply_template(template, messages, 2, True, buffer, size)
        if not 0 < length <= size:  # a template that llama.cpp does not know: the commonest one
            length = c.llama_chat_apply_template(b"chatml", messages, 2, True, buffer, size)
        before, _, after = buffer.raw[:length].decode("utf-8", "replace").partition(_MARK)
        return before, after

    def tokens(self, text: str, *, control: bool = False, first: bool = False) -> list[int]:
        """The tokens of a text. With `control`, names of control tokens in it mean these; `first`: it begins a sequence."""
        data = text.encode("utf-8", "replace")
        buffer = (c.llama_token * (len(data) + 8))()
        count = c.llama_tokenize(self._vocabulary, data, len(data), buffer, len(buffer), first, control)
        return list(buffer[: max(count, 0)])

    def piece(self, token: int) -> bytes:
        """The bytes of a token; they need not be whole characters."""
        buffer = ctypes.create_string_buffer(_PIECE_BYTES)
        length = c.llama_token_to_piece(self._vocabulary, token, buffer, _PIECE_BYTES, 0, False)
        return buffer.raw[: max(length, 0)]

    def ends(self, token: int) -> bool:
        """Whether a token says that the answer is over."""
        return bool(c.llama_vocab_is_eog(self._vocabulary, token))

    # --- Sequences --------------------------------------------------------------------------------

    def decode(self, portions: Sequence[Portion]) -> bool:
        """Compute a batch of at most `BATCH` tokens. False where `aborted()` was true: nothing of it then counts.

        Raises RuntimeError where llama.cpp fails.
        """
        batch, at = self._batch, 0
        for portion in portions:
            for offset, token in enumerate(portion.tokens):
                batch.token[at] = token
                batch.pos[at] = portion.position + offset
                batch.n_seq_id[at] = 1
                batch.seq_id[at][0] = portion.sequence
                batch.logits[at] = portion.scored and offset == len(portion.tokens) - 1
                at += 1
        batch.n_tokens = at
        result = c.llama_decode(self._context, batch)
        if result == 0:
            return True
        for portion in portions:
            c.llama_memory_seq_rm(self._memory, portion.sequence, portion.position, -1)
        if result == _ABORTED:
            return False
        raise RuntimeError(f"llama_decode gave {result}: {self._why()}")

    def fork(self, source: int, target: int, length: int) -> None:
        """Let sequence `target`, which is empty, begin with the first `length` tokens of `source`."""
        c.llama_memory_seq_cp(self._memory, source, target, 0, length)

    def forget(self, sequence: int) -> None:
        """Make a sequence empty."""
        c.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    def logs(self, index: int, tokens: Sequence[int]) -> list[float]:
        """The logarithms of the probabilities of `tokens` as the next one, after the batch's token number `index`."""
        pointer = c.llama_get_logits_ith(self._context, index)
        scores = np.ctypeslib.as_array(pointer, shape=(self.words,)).astype(np.float64)
        top = scores.max()
        total = top + np.log(np.exp(scores - top).sum())
        return [float(scores[token] - total) for token in tokens]

    def sampler(self, grammar: str, temperature: float, seed: int) -> Sampler:
        """What picks the next token. Raises ValueError for a grammar that is none."""
        chain = c.llama_sampler_chain_init(c.llama_sampler_chain_default_params())
        if grammar:
            made = c.llama_sampler_init_grammar(self._vocabulary, grammar.encode(), b"root")
            if not made:
                c.llama_sampler_free(chain)
                raise ValueError("the grammar is not valid GBNF")
            c.llama_sampler_chain_add(chain, made)
        if temperature > 0:
            c.llama_sampler_chain_add(chain, c.llama_sampler_init_top_p(_TOP_P, 1))
            c.llama_sampler_chain_add(chain, c.llama_sampler_init_temp(temperature))
            c.llama_sampler_chain_add(chain, c.llama_sampler_init_dist(seed))
        else:
            c.llama_sampler_chain_add(chain, c.llama_sampler_init_greedy())
        return Sampler(self._context, chain)


def quantize(source: Path, target: Path, kind: int, without: Sequence[int], threads: int) -> None:
    """Write `source` anew as `target`, with numbers of a `kind` (`llama_ftype`). Raises RuntimeError.

    What is quantised already is quantised again, which loses more than from the publisher's own 16 bits.
    """
    said: list[str] = []
    log = c.llama_log_callback(
        lambda level, text, _: said.append(text.decode("utf-8", "replace")) if level == 4 else None
    )
    c.llama_log_set(log, ctypes.c_void_p(0))
    c.llama_backend_init()
    settings = c.llama_model_quantize_default_params()
    settings.ftype = kind
    settings.nthread = threads
    settings.allow_requantize = True
    layers = (ctypes.c_int32 * (len(without) + 1))(*without, -1)  # ended by -1
    if without:
        settings.prune_layers = layers
    if c.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(settings)) != 0:
        raise RuntimeError("".join(said).strip()[-400:] or "llama.cpp does not say why")


class Sampler:
    """Picks tokens for one answer."""

    def __init__(self, context: object, chain: object) -> None:
        self._context = context
        self._chain = chain

    def pick(self, index: int) -> int:
        """The next token, after the batch's token number `index`."""
        return int(c.llama_sampler_sample(self._chain, self._context, index))

    def close(self) -> None:
        """Give it back."""
        c.llama_sampler_free(self._chain)
