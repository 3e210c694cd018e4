# A jemalloc of our own: the archive's objects made one, with three functions under other names and all else hidden.
#
# The host keeps its allocator: a library that is linked would take over the malloc of the program that embeds us, and
# one that is loaded later finds no room for its thread-local storage ("cannot allocate memory in static TLS block").

find_library(OUTCRY_JEMALLOC_ARCHIVE NAMES libjemalloc_pic.a libjemalloc.a)
find_path(OUTCRY_JEMALLOC_INCLUDE jemalloc/jemalloc.h)
mark_as_advanced(OUTCRY_JEMALLOC_ARCHIVE OUTCRY_JEMALLOC_INCLUDE)
set(has_jemalloc OFF)
if(OUTCRY_JEMALLOC_ARCHIVE AND OUTCRY_JEMALLOC_INCLUDE AND CMAKE_OBJCOPY)
  set(has_jemalloc ON)
endif()
option(OUTCRY_WITH_JEMALLOC "Schedulers' arenas are jemalloc's; else they are simple ones of our own" ${has_jemalloc})

# outcry_add_jemalloc(target): puts the object into the library.
function(outcry_add_jemalloc target)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/outcry_jemalloc.o)
  set(wanted)
  set(names)
  foreach(name mallocx dallocx mallctl)
    list(APPEND wanted -Wl,-u,${name})
    # GNU's objcopy renames before it hides, LLVM's the other way round.
    list(APPEND names --redefine-sym ${name}=outcry_jemalloc_${name} --keep-global-symbol=${name}
                      --keep-global-symbol=outcry_jemalloc_${name})
  endforeach()
  # What is asked for by name leaves out the archive's operator new.
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${CMAKE_CXX_COMPILER} -r -nostdlib ${wanted} -o ${object}.all ${OUTCRY_JEMALLOC_ARCHIVE}
    COMMAND ${CMAKE_OBJCOPY} ${names} ${object}.all ${object}
    DEPENDS ${OUTCRY_JEMALLOC_ARCHIVE}
    COMMENT "A jemalloc of our own" VERBATIM)
  set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  target_sources(${target} PRIVATE ${object})
  target_include_directories(${target} PRIVATE ${OUTCRY_JEMALLOC_INCLUDE})
  target_compile_definitions(${target} PRIVATE OUTCRY_HAS_JEMALLOC)
endfunction()
