# Package files and targets to install.
