/** Imported first by each process that the benchmark starts: it ends when the channel to its parent closes. */
process.on("disconnect", () => process.exit(0));
