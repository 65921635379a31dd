/** A small ledger with receipts in both forms, for tests of the receipt verifier. */
import { type Curve, pemDecode, pemEncode, type ServiceIdentity, signatureToDer } from "@sealane/crypto";
import { concatBytes, type Seqno, seqno, utf8 } from "@sealane/wire";
import { type BuiltReceipt, receiptOf } from "../src/build-receipt.js";
import { decodeEntry } from "../src/decode-entry.js";
import { Ledger } from "../src/ledger.js";
import {
  at,
  createNode,
  createService,
  genesis,
  put,
  secrets,
  serviceSigner,
  suite,
  type TestNode,
  V2,
} from "./fixture.js";

export const CLAIMS = utf8("the application says so");

export interface ReceiptWorld {
  readonly service: ServiceIdentity;
  readonly servicePem: string;
  readonly node: TestNode;
  readonly ledger: Ledger;
  receipt(at: number): BuiltReceipt;
}

/** Entries 1 to 9 with signatures at 5 and 9; entry 3 has claims. */
export function receiptWorld(curve: Curve = "P-384"): ReceiptWorld {
  const service = createService("test service", curve);
  const servicePem = pemEncode("CERTIFICATE", service.certificate);
  const node = createNode(service, curve);
  const ledger = new Ledger({ suite, secrets });
  ledger.append({ view: V2, writeSet: genesis({ node, cert: servicePem }) });
  for (let index = 2; index <= 9; index++) {
    if (index === 5 || index === 9) ledger.appendSignature({ view: V2, ...node, service: serviceSigner(service) });
    else {
      const claims = index === 3 ? { claimsDigest: suite.sha256(CLAIMS) } : {};
      ledger.append({ view: V2, writeSet: put(`key ${index}`, "value"), ...claims });
    }
  }
  const entry = (number: Seqno) => decodeEntry(suite, secrets, at(ledger.range(number, number) ?? [], 0));
  return {
    service,
    servicePem,
    node,
    ledger,
    receipt: (number) => receiptOf(entry(seqno(number)), entry(seqno(number <= 5 ? 5 : 9)), { suite, secrets }),
  };
}

/** The certificate of `pem` signed again, by another key. For two services of one name: an endorsement of the earlier one. */
export function signAgain(pem: string, issuer: ServiceIdentity): string {
  const der = pemDecode("CERTIFICATE", pem);
  const tbs = elementAt(der, 4); // behind the outer tag and its length of three bytes
  const algorithm = elementAt(der, 4 + tbs.length);
  const signature = signatureToDer(suite.sign(issuer.keyPair.privateKey, tbs));
  const body = concatBytes(tbs, algorithm, element(0x03, concatBytes(Uint8Array.of(0), signature)));
  return pemEncode("CERTIFICATE", element(0x30, body));
}

function elementAt(der: Uint8Array, offset: number): Uint8Array {
  const [, first = 0, second = 0, third = 0] = der.subarray(offset);
  if (first < 0x80) return der.subarray(offset, offset + 2 + first);
  return first === 0x81
    ? der.subarray(offset, offset + 3 + second)
    : der.subarray(offset, offset + 4 + second * 256 + third);
}

function element(tag: number, contents: Uint8Array): Uint8Array {
  const { length } = contents;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return concatBytes(Uint8Array.of(tag, ...head), contents);
}
