// other library spans, delivery statuses
import { sink } from './sink.mjs';
import { startTracing } from '@convotel/sdk'; import { conversation, startConversation } from '@convotel/tracing'; import { trace } from '@opentelemetry/api';
import { mkdtempSync } from 'node:fs';
const folder=()=>mkdtempSync('/tmp/cx/j-');
const show=async(name,answer,work,opts={},sd={deadlineMs:3000})=>{const s=await sink(answer); const w=[]; const t=startTracing({endpoint:s.url,metrics:false,journal:{folder:folder()},warn:m=>w.push(m),...opts}); const a=performance.now(); await work(t,s); const before=performance.now(); const r=await t.shutdown(sd); console.log(name, JSON.stringify(r), JSON.stringify(t.report().droppedSpans),'requests',s.count(),'shutdown ms',Math.round(performance.now()-before)); for(const m of w) console.log('    !',m.slice(0,260)); s.close();};
const talk=()=>conversation(c=>c.step('a',()=>1));
await show('413 all',(q,r)=>{r.writeHead(413).end('too big');return true},async()=>talk());
await show('400 all',(q,r)=>{r.writeHead(400).end('bad');return true},async()=>{for(let i=0;i<20;i++)talk()});
await show('401',(q,r)=>{r.writeHead(401).end('{"error":"no \u001b[31m key"}');return true},async()=>talk());
await show('404',(q,r)=>{r.writeHead(404).end('nope');return true},async()=>talk());
await show('429 RA 3600',(q,r)=>{r.writeHead(429,{'retry-after':'3600'}).end();return true},async()=>talk());
await show('503 RA date past',(q,r,b,n)=>{if(n>2)return false;r.writeHead(503,{'retry-after':'Wed, 21 Oct 2015 07:28:00 GMT'}).end();return true},async(t)=>{talk(); await t.flush({deadlineMs:3000}); await new Promise(r=>setTimeout(r,2500))});
await show('partial',(q,r)=>{r.writeHead(200,{'content-type':'application/json'}).end('{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}');return true},async()=>talk());
await show('partial warn only',(q,r)=>{r.writeHead(200,{'content-type':'application/json'}).end('{"partialSuccess":{"rejectedSpans":0,"errorMessage":"deprecated thing"}}');return true},async()=>talk());
await show('partial garbage',(q,r)=>{r.writeHead(200).end('{"partialSuccess":{"rejectedSpans":-5}}');return true},async()=>talk());
await show('redirect 307',(q,r)=>{r.writeHead(307,{location:'/x'}).end();return true},async()=>talk());
await show('204',(q,r)=>{r.writeHead(204).end();return true},async()=>talk());
await show('500 always',(q,r)=>{r.writeHead(500).end('boom');return true},async()=>talk());
await show('21MiB',null,async()=>{const c=startConversation(); c.step('x',s=>{s.set({big:'x'.repeat(21*2**20), m:Array.from({length:100},()=> 'y'.repeat(300000))});}); c.step('small',()=>1); c.end();});
await show('prompts 128K', (q,r,b)=>{ if(b.length>2**20){ r.writeHead(413).end('>1MiB');return true} return false}, async()=>{ const c=startConversation(); for(let i=0;i<20;i++) c.step('gpt',{input:'p'.repeat(131072)},()=>1); c.end();},{captureContent:'full'});
await show('refused',null,async(t,s)=>{s.close(); talk()});
process.exit(0)
