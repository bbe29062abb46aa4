// The browser's module in Node's WebCrypto, held to the vectors Python is held to.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { encryptCard, encryptField, encryptPin, FieldError } from "../../dgspay/browser/dgspay-card.js";

const vectors = JSON.parse(await readFile(new URL("../vectors/card.json", import.meta.url)));
const { key, card } = { key: vectors.cards[0].key, card: typed(vectors.cards[0].card) };

/** A vector's card in the words of the module. */
function typed({ number, expiry_month, expiry_year, cvv }) {
  return { number, expiryMonth: expiry_month, expiryYear: expiry_year, cvv };
}

for (const { name, key, nonce, plaintext, ciphertext } of vectors.fields) {
  test(`field: ${name}`, async () => {
    assert.equal(await encryptField(plaintext, { key, nonce }), ciphertext);
  });
}

// Every vector has a nonce of its own here, because the module refuses the second use of one.
for (const [index, vector] of vectors.cards.entries()) {
  test(`card: ${vector.name}`, async () => {
    const module = await import(`../../dgspay/browser/dgspay-card.js?card=${index}`);
    const { key, nonce } = vector;
    assert.deepEqual(await module.encryptCard(typed(vector.card), { key, nonce }), vector.wire);
  });
}

for (const [index, vector] of vectors.pins.entries()) {
  test(`PIN: ${vector.name}`, async () => {
    const module = await import(`../../dgspay/browser/dgspay-card.js?pin=${index}`);
    const { key, nonce } = vector;
    assert.deepEqual(await module.encryptPin(vector.pin, { key, nonce }), vector.wire);
  });
}

for (const { name, field, value } of vectors.bad_cards) {
  test(`refused: ${name}`, async () => {
    const { [field]: _, ...rest } = vectors.cards[0].card;
    await assert.rejects(encryptCard(typed({ ...rest, [field]: value }), { key }), (error) => {
      assert.ok(error instanceof FieldError);
      assert.equal(error.field, field);
      if (value.length > 3) assert.ok(!error.stack.includes(value));
      return true;
    });
  });
}

for (const nonce of vectors.bad_nonces) {
  test(`refused: nonce of ${nonce.length} characters`, async () => {
    for (const sealing of [encryptCard(card, { key, nonce }), encryptPin("1234", { key, nonce })]) {
      await assert.rejects(sealing, { name: "FieldError", field: "nonce" });
    }
  });
}

test("refused: a nonce of 24 characters, with the reason", async () => {
  const sealing = encryptPin("1234", { key, nonce: "00112233445566778899aabb" });
  await assert.rejects(sealing, /24 characters and must have 12/);
});

for (const pin of vectors.bad_pins) {
  test(`refused: PIN of ${pin.length} characters`, async () => {
    await assert.rejects(encryptPin(pin, { key }), { name: "FieldError", field: "pin" });
  });
}

for (const bad of vectors.bad_keys) {
  test(`refused: key of ${bad.length} characters`, async () => {
    await assert.rejects(encryptCard(card, { key: bad }), (error) => {
      assert.equal(error.field, "key");
      assert.ok(!bad || !error.stack.includes(bad));
      return true;
    });
  });
}

test("a nonce is used once, and a PIN needs one of its own", async () => {
  const nonce = "use-me-once!";
  await encryptCard(card, { key, nonce });
  await assert.rejects(encryptCard(card, { key, nonce }), { field: "nonce" });
  await assert.rejects(encryptPin("1234", { key, nonce }), { field: "nonce" });
});

for (const [alphabet, pattern] of [["hex", /^[0-9a-f]{12}$/], ["alphanumeric", /^[0-9A-Za-z]{12}$/]]) {
  test(`fresh nonces: ${alphabet}`, async () => {
    const nonces = new Set();
    for (let turn = 0; turn < 200; turn += 1) {
      const { auth_pin_nonce: nonce } = await encryptPin("1234", { key, alphabet });
      assert.match(nonce, pattern);
      nonces.add(nonce);
    }
    assert.equal(nonces.size, 200);
  });
}
