# Host builds that find what the plain one does not.
if(PARTITA_SANITIZE OR PARTITA_FUZZ)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1)
  add_link_options(-fsanitize=address,undefined)
endif()
if(PARTITA_SANITIZE)
  # GCC 12 takes libstdc++'s own <regex> for uninitialised under the sanitizers; plain builds keep the warning.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()
if(PARTITA_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
