# Builds SOURCE with COMPILER and what PKG_CONFIG says of the Outcry installed in PREFIX, then runs PROGRAM, which must print the last
# lines of SOURCE.

set(ENV{PKG_CONFIG_PATH} ${PREFIX}/${LIBDIR}/pkgconfig)
execute_process(COMMAND ${PKG_CONFIG} --cflags --libs outcry OUTPUT_VARIABLE said OUTPUT_STRIP_TRAILING_WHITESPACE
                COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(said UNIX_COMMAND "${said}")
separate_arguments(FLAGS UNIX_COMMAND "${FLAGS}")
execute_process(COMMAND ${COMPILER} ${FLAGS} ${SOURCE} -o ${PROGRAM} ${said} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PROGRAM} OUTPUT_VARIABLE printed COMMAND_ERROR_IS_FATAL ANY)

file(READ ${SOURCE} text)
string(REGEX REPLACE "\n([^\n]+)" "\n// \\1" comment "\n${printed}")
string(FIND "${text}" "${comment}" at)
if(printed STREQUAL "" OR at EQUAL -1)
  message(FATAL_ERROR "it printed\n${printed}")
endif()
# outcry-caf.pc is there where CAF is, and asks for outcry.pc.
if(EXISTS ${PREFIX}/${LIBDIR}/pkgconfig/outcry-caf.pc)
  execute_process(COMMAND ${PKG_CONFIG} --libs outcry-caf OUTPUT_VARIABLE said COMMAND_ERROR_IS_FATAL ANY)
  if(NOT said MATCHES "-loutcry_caf .*-loutcry_runtime")
    message(FATAL_ERROR "outcry-caf.pc gives ${said}")
  endif()
endif()
