import { inject } from "vitest";
import { describeDocuments } from "../contract/documents-contract.ts";
import { dataApiInNode, dataApiInWorkerd, driverInWorkerd, serverLacks } from "./stores.ts";

const { server } = inject("mongodb");
const dataApiStore = dataApiInNode();

describeDocuments(`mongo-driver in workerd × ${server}`, driverInWorkerd, serverLacks());
describeDocuments(`data-api × mongodb-local-data-api × ${server}`, () => dataApiStore, serverLacks());
describeDocuments(`data-api in workerd × mongodb-local-data-api × ${server}`, dataApiInWorkerd, serverLacks());
