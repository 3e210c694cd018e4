# For those who build without CMake: outcry.pc names our static libraries and what they link, outcry-caf.pc those that need CAF.

# The word with which a linker finds an item of a target's link libraries; nothing for headers alone and for our own.
function(outcry_link_word item out)
  string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" item "${item}")
  set(${out} "" PARENT_SCOPE)
  if(item STREQUAL "Threads::Threads")
    set(${out} -pthread PARENT_SCOPE)
  elseif(item MATCHES "^outcry")
    return()
  elseif(item MATCHES "^([A-Za-z0-9_]+)::")
    if(NOT TARGET ${item})  # its package was looked for in a folder of ours
      find_package(${CMAKE_MATCH_1} QUIET)
    endif()
    get_target_property(type ${item} TYPE)
    if(type STREQUAL "INTERFACE_LIBRARY")
      return()
    endif()
    get_target_property(configurations ${item} IMPORTED_CONFIGURATIONS)
    set(suffixes "")
    foreach(configuration ${configurations})
      list(APPEND suffixes _${configuration})
    endforeach()
    foreach(property IMPORTED_LOCATION IMPORTED_IMPLIB)
      foreach(suffix "" ${suffixes})
        get_target_property(file ${item} ${property}${suffix})
        if(file)
          get_filename_component(name ${file} NAME)
          string(REGEX REPLACE "^lib([^.]*)\\..*$" "-l\\1" word ${name})
          set(${out} ${word} PARENT_SCOPE)
          return()
        endif()
      endforeach()
    endforeach()
    message(WARNING "outcry.pc: nothing says where the library ${item} is")
  elseif(NOT item MATCHES "[/$<]")
    set(${out} -l${item} PARENT_SCOPE)
  endif()
endfunction()

# outcry_pkg_config(NAME DESCRIPTION REQUIRES libraries...): of the libraries, whoever links another comes first.
function(outcry_pkg_config name description requires)
  set(ours)
  set(theirs)
  set(libraries ${ARGN})
  list(REVERSE libraries)
  foreach(library ${libraries})
    get_target_property(type ${library} TYPE)
    if(NOT type STREQUAL "INTERFACE_LIBRARY")
      list(APPEND ours -l${library})
    endif()
    get_target_property(linked ${library} INTERFACE_LINK_LIBRARIES)
    foreach(item IN LISTS linked)
      if(NOT item)
        continue()
      endif()
      outcry_link_word("${item}" word)
      list(APPEND theirs ${word})
    endforeach()
  endforeach()
  list(REMOVE_DUPLICATES theirs)
  list(JOIN ours " " ours)
  list(JOIN theirs " " theirs)
  cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_LIBDIR BASE_DIRECTORY "/prefix" OUTPUT_VARIABLE folder)
  file(RELATIVE_PATH prefix ${folder}/pkgconfig /prefix)
  string(REGEX REPLACE "/$" "" prefix "${prefix}")
  file(WRITE ${PROJECT_BINARY_DIR}/${name}.pc
"prefix=\${pcfiledir}/${prefix}
libdir=\${prefix}/${CMAKE_INSTALL_LIBDIR}
includedir=\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}

Name: ${name}
Description: ${description}
Version: ${PROJECT_VERSION}
Requires: ${requires}
Cflags: -std=c++20 -I\${includedir}
Libs: -L\${libdir} ${ours} ${theirs}
")
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()
