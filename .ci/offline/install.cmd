@echo off
rem Installs chaingraph from this folder, without a network: install.cmd [FOLDER]. PYTHON names another interpreter.
if not defined PYTHON set PYTHON=py -3
%PYTHON% "%~dp0install.py" %*
