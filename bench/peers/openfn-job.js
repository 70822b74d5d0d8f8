// The job as a user of OpenFn writes it, one run for each case: ten creates with the FHIR adaptor, each keeping the reference that the next need.
// `steps`, `names` and `given` are globals of the workflow.

import { create, fn } from '@openfn/language-fhir';

const keep = (name) => (state) => {
  state.made[name] = `${state.data.resourceType}/${state.data.id}`;
  return state;
};

export default [
  fn((state) => ({ ...state, made: { ...state.directory } })),
  ...names.map((name, index) =>
    create(
      (state) => steps[index](given(state.records, state.made)).resourceType,
      (state) => steps[index](given(state.records, state.made)),
      {},
      keep(name),
    ),
  ),
];
