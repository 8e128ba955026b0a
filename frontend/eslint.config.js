import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/", "node_modules/"] },
  ...tseslint.configs.recommended,
  { files: ["src/**/*.ts", "tests/**/*.ts"], rules: { eqeqeq: "error", "no-console": "error", "prefer-const": "error" } },
);
