#!/usr/bin/env node
import { runAsProgram } from '../dist/run-as-program.js';

await runAsProgram();
