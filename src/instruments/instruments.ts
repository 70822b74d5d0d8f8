// Front door of instruments/: screening instruments, each as a table with its published scoring rule, and the scoring itself. Pure.

export { type ScoredAssessment, type ScoreIssue, scoreAssessment } from './score.ts';
