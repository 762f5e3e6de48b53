; SPDX-License-Identifier: MIT
; The files `inputs` and `logits`, in flash behind all code that main.c calls by short addresses.
.section .text.samples, "ax"
.global inputs_begin, logits_begin, logits_end
inputs_begin: .incbin "inputs"
logits_begin: .incbin "logits"
logits_end:
.balign 2
