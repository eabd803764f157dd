#!/usr/bin/env node
'use strict';
void require('../dist/cjs/run-as-program.js').runAsProgram();
