# One set of warnings for everything; each is an error.
add_library(partita_warnings INTERFACE)
target_compile_options(partita_warnings INTERFACE -Wall -Wextra -Werror -Wconversion -Wsign-conversion -Wshadow -Wundef -Wcast-qual
  $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual>
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:GNU>>:-Wduplicated-cond -Wlogical-op>)
