// Starts jsii's kernel without the third of cdktf that it never runs.
//
// cdktf loads an archiver (200 files of it) beside the function that zips a folder, and that
// function starts a Node of its own to do it. So here the archiver is loaded when it is called.
"use strict";
const Module = require("node:module");

const load = Module._load;
Module._load = function (request, parent, isMain) {
  const loadNow = () => load.call(this, request, parent, isMain);
  return request === "archiver" ? new Proxy(function () {}, whenUsed(loadNow)) : loadNow();
};

function whenUsed(loadNow) {
  return {
    apply: (_, self, parameters) => Reflect.apply(loadNow(), self, parameters),
    construct: (_, parameters) => Reflect.construct(loadNow(), parameters),
    get: (_, name) => loadNow()[name],
  };
}

// By then the kernel has removed its files, and taking the engine apart would be waited for.
process.reallyExit = () => process.kill(process.pid, "SIGKILL");

require(process.argv[2]);
