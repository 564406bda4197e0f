;; skip(at, end): the offset behind the object or array that begins at `at`, or 0 where it does not close before `end`.
;; 64 bytes at a time: a bit for each quote, then for each byte inside of strings, then for each bracket outside of them.
;; The memory must be readable up to 63 bytes behind `end`; what stands there is not looked at.
(module
  (memory (export "memory") 17) ;; windowBytes in skip-container.ts, and a page more

  ;; Bit i: the byte at `at` + i, with the bits of `fold` set, is `byte`.
  (func $where (param $at i32) (param $fold v128) (param $byte v128) (result i64)
    (i64.or
      (i64.or
        (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $byte)
          (v128.or (local.get $fold) (v128.load (local.get $at))))))
        (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $byte)
          (v128.or (local.get $fold) (v128.load offset=16 (local.get $at)))))) (i64.const 16)))
      (i64.or
        (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $byte)
          (v128.or (local.get $fold) (v128.load offset=32 (local.get $at)))))) (i64.const 32))
        (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $byte)
          (v128.or (local.get $fold) (v128.load offset=48 (local.get $at)))))) (i64.const 48)))))

  ;; Bit i: an odd number of bits is set in 0..i.
  (func $parity (param $bits i64) (result i64)
    (local.set $bits (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 1))))
    (local.set $bits (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 2))))
    (local.set $bits (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 4))))
    (local.set $bits (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 8))))
    (local.set $bits (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 16))))
    (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 32))))

  (func (export "skip") (param $at i32) (param $end i32) (result i32)
    (local $depth i32)
    (local $carry i64)    ;; 1: the first byte of the block is escaped
    (local $inString i64) ;; all bits: the block begins inside of a string
    (local $backslashes i64) (local $escaped i64) (local $bit i64)
    (local $strings i64) (local $opening i64) (local $closing i64) (local $brackets i64)
    (local $plain v128) (local $folded v128)
    ;; 0x20 makes `[` of `{` and `]` of `}`; no other byte of JSON becomes one of them outside of strings.
    (local.set $folded (i8x16.splat (i32.const 0x20)))

    (loop $blocks
      (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const 0))))

      ;; Backslashes are rare: one at a time. Each escapes the byte behind it, which is then no backslash of its own.
      (local.set $escaped (local.get $carry))
      (local.set $backslashes (i64.and
        (call $where (local.get $at) (local.get $plain) (i8x16.splat (i32.const 0x5c)))
        (i64.xor (local.get $carry) (i64.const -1))))
      (local.set $carry (i64.const 0))
      (block $escapes (loop $next
        (br_if $escapes (i64.eqz (local.get $backslashes)))
        (local.set $bit (i64.and (local.get $backslashes) (i64.sub (i64.const 0) (local.get $backslashes))))
        (if (i64.eq (local.get $bit) (i64.const 0x8000000000000000))
          (then (local.set $carry (i64.const 1)) (br $escapes)))
        (local.set $escaped (i64.or (local.get $escaped) (i64.shl (local.get $bit) (i64.const 1))))
        (local.set $backslashes (i64.and (local.get $backslashes)
          (i64.xor (i64.mul (local.get $bit) (i64.const 3)) (i64.const -1))))
        (br $next)))

      (local.set $strings (i64.xor (local.get $inString) (call $parity (i64.and
        (call $where (local.get $at) (local.get $plain) (i8x16.splat (i32.const 0x22)))
        (i64.xor (local.get $escaped) (i64.const -1))))))
      (local.set $inString (i64.shr_s (local.get $strings) (i64.const 63)))
      (local.set $strings (i64.xor (local.get $strings) (i64.const -1)))

      (local.set $opening (i64.and (local.get $strings)
        (call $where (local.get $at) (local.get $folded) (i8x16.splat (i32.const 0x7b)))))
      (local.set $closing (i64.and (local.get $strings)
        (call $where (local.get $at) (local.get $folded) (i8x16.splat (i32.const 0x7d)))))

      (if (i64.lt_u (i64.popcnt (local.get $closing)) (i64.extend_i32_u (local.get $depth)))
        (then
          ;; It cannot close here.
          (local.set $depth (i32.add (local.get $depth) (i32.wrap_i64
            (i64.sub (i64.popcnt (local.get $opening)) (i64.popcnt (local.get $closing)))))))
        (else
          (local.set $brackets (i64.or (local.get $opening) (local.get $closing)))
          (block $block (loop $next
            (br_if $block (i64.eqz (local.get $brackets)))
            (local.set $bit (i64.and (local.get $brackets) (i64.sub (i64.const 0) (local.get $brackets))))
            (local.set $brackets (i64.xor (local.get $brackets) (local.get $bit)))
            (if (i64.eqz (i64.and (local.get $bit) (local.get $closing)))
              (then (local.set $depth (i32.add (local.get $depth) (i32.const 1))))
              (else
                (local.set $depth (i32.sub (local.get $depth) (i32.const 1)))
                (if (i32.eqz (local.get $depth))
                  (then
                    (local.set $at (i32.add (i32.add (local.get $at) (i32.const 1)) (i32.wrap_i64 (i64.ctz (local.get $bit)))))
                    (return (select (local.get $at) (i32.const 0) (i32.le_u (local.get $at) (local.get $end))))))))
            (br $next)))))

      (local.set $at (i32.add (local.get $at) (i32.const 64)))
      (br $blocks))
    (unreachable)))
