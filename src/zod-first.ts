import { ZodISODateTime } from "../node_modules/zod/v4/classic/iso.js";
import { ZodType } from "../node_modules/zod/v4/classic/schemas.js";

/**
 * To be imported before anything that uses zod. The bundler evaluates zod lazily, since a library that is loaded when it
 * is first needed uses it too, and then loses that evaluation where zod is imported through its index. Named by their
 * files, zod's modules are evaluated here, once, for everybody.
 */
if (ZodType === undefined || ZodISODateTime === undefined) throw new Error("zod was not evaluated");
