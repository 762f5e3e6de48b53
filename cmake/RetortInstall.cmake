# SPDX-License-Identifier: MIT
# `cmake --install`: the headers, the licence, the package for find_package(retort), and retort.pc for pkg-config. Headers fit every
# architecture, so all of it goes to include/ and share/.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_folder "${CMAKE_INSTALL_DATADIR}/cmake/retort")
set(pkgconfig_folder "${CMAKE_INSTALL_DATADIR}/pkgconfig")

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/retort" TYPE INCLUDE FILES_MATCHING PATTERN "*.hpp" PATTERN "*.cuh")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" TYPE DOC)
install(TARGETS retort EXPORT retort-targets INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT retort-targets NAMESPACE retort:: DESTINATION "${package_folder}")

configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/retort-config.cmake.in" "${PROJECT_BINARY_DIR}/retort-config.cmake"
  INSTALL_DESTINATION "${package_folder}" NO_SET_AND_CHECK_MACRO
)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/retort-config-version.cmake" COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT
)
install(FILES "${PROJECT_BINARY_DIR}/retort-config.cmake" "${PROJECT_BINARY_DIR}/retort-config-version.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/retort-backends.cmake" "${PROJECT_SOURCE_DIR}/cmake/retort-precompile.cmake"
        DESTINATION "${package_folder}"
)

# The prefix is stated relative to retort.pc, so that an installed tree can be moved. A folder given as an absolute path
# stays where it is.
if(IS_ABSOLUTE "${pkgconfig_folder}")
  set(pc_prefix "${CMAKE_INSTALL_PREFIX}")
else()
  file(RELATIVE_PATH prefix_from_pkgconfig "/prefix/${pkgconfig_folder}" "/prefix")
  set(pc_prefix "\${pcfiledir}/${prefix_from_pkgconfig}")
endif()
if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(pc_includedir "${CMAKE_INSTALL_INCLUDEDIR}")
else()
  set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
string(REPLACE " " "\\ " pc_prefix "${pc_prefix}") # as in a shell, or pkg-config takes what follows for another word
string(REPLACE " " "\\ " pc_includedir "${pc_includedir}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/retort.pc.in" "${PROJECT_BINARY_DIR}/retort.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/retort.pc" DESTINATION "${pkgconfig_folder}")
