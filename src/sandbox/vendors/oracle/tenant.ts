/** The one tenant that the `oracle` server knows. */
export const oracleTenant = '7f1c2a5e-4d0b-4f3a-9c56-2b8e6f0d1a34';
