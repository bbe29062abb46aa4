/**
 * The countries and regions of ISO 3166-1, as of 2024, for the billing address of a card.
 *
 * Codes alone: browsers have the names, in the payer's language.
 */
export declare const COUNTRIES: string[];
