#!/usr/bin/env node
'use strict';
// From Node 22 on, what has been compiled once is kept; NODE_DISABLE_COMPILE_CACHE=1 switches it off.
require('node:module').enableCompileCache?.();
void require('../dist/cjs/run-as-program.js').runAsProgram();
