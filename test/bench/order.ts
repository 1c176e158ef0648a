/** What every call, event and item carries. */
export interface Order {
  readonly id: string;
  readonly customer: { readonly name: string; readonly city: string };
  readonly lines: { readonly sku: string; readonly quantity: number; readonly price: number }[];
  readonly paid: boolean;
  readonly total: number;
}

/** 209 bytes of JSON. */
export const order: Order = {
  id: 'order-20260417',
  customer: { name: 'Augusta Lovelace', city: 'London' },
  lines: [
    { sku: 'wire-1.5mm', quantity: 12, price: 0.85 },
    { sku: 'turnbuckle-m8', quantity: 4, price: 3.9 },
  ],
  paid: true,
  total: 25.8,
};
