# What to install: every library of ours with its headers, and the package that find_package(outcry) finds.
#
# The package asks for what our libraries link: a static library's private dependencies are linked by its user, too.

include(CMakePackageConfigHelpers)
get_property(libraries GLOBAL PROPERTY OUTCRY_LIBRARIES)
get_property(include_roots GLOBAL PROPERTY OUTCRY_INCLUDE_ROOTS)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/outcry)

# Package::target stands for find_package(Package); a plain name is a library of the system.
set(packages)
foreach(library ${libraries})
  get_target_property(linked ${library} INTERFACE_LINK_LIBRARIES)
  foreach(item ${linked})
    if(item MATCHES "^(\\$<LINK_ONLY:)?([A-Za-z0-9_]+)::")
      list(APPEND packages ${CMAKE_MATCH_2})
    endif()
  endforeach()
endforeach()
list(REMOVE_DUPLICATES packages)
list(REMOVE_ITEM packages outcry)
set(OUTCRY_FIND_DEPENDENCIES)
foreach(package ${packages})
  string(APPEND OUTCRY_FIND_DEPENDENCIES "find_dependency(${package})\n")
endforeach()

install(TARGETS ${libraries} EXPORT outcry_targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
foreach(root ${include_roots})
  install(DIRECTORY ${root}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
endforeach()
install(EXPORT outcry_targets NAMESPACE outcry:: DESTINATION ${package_folder})

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/outcry_config.cmake.in
                              ${PROJECT_BINARY_DIR}/outcry-config.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/outcry-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/outcry-config.cmake ${PROJECT_BINARY_DIR}/outcry-config-version.cmake
        DESTINATION ${package_folder})

include(${CMAKE_CURRENT_LIST_DIR}/outcry_pkg_config.cmake)
set(with_caf ${libraries})
list(FILTER with_caf INCLUDE REGEX "^outcry_(caf|cluster)$")
set(without_caf ${libraries})
if(with_caf)
  list(REMOVE_ITEM without_caf ${with_caf})
  outcry_pkg_config(outcry-caf "Outcry's actors among those of CAF, and markets spread over machines" outcry ${with_caf})
endif()
outcry_pkg_config(outcry "${PROJECT_DESCRIPTION}" "" ${without_caf})
