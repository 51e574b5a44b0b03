# Host builds that find what the plain one does not.
if(PARTITA_SANITIZE)
  add_compile_options(-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all -fno-omit-frame-pointer -O1)
  add_link_options(-fsanitize=address,undefined)
endif()
# partita_counted(TARGET): where it is compiled with sanitizers, it also counts which of its lines and branches run. Each process adds
# to what others of its program have left in profiles/; tests/coverage/coverage.py reads it.
function(partita_counted target)
  if(PARTITA_SANITIZE)
    target_compile_options(${target} PRIVATE -fprofile-instr-generate=${PROJECT_BINARY_DIR}/profiles/%2m.profraw -fcoverage-mapping)
    target_link_options(${target} PUBLIC -fprofile-instr-generate)
  endif()
endfunction()
