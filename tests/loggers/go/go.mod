// Programs that log as Go's usual loggers do.
module whiskjack/loggers

go 1.21

require go.uber.org/zap v1.28.0

require go.uber.org/multierr v1.10.0 // indirect
