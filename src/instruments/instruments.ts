// Front door of instruments/: screening instruments, each as a table with its published scoring rule, and the scoring itself. Pure.

export { scoreAssessment } from './score.ts';
