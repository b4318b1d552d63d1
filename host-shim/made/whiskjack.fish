# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_whiskjack_global_optspecs
    string join \n h/help V/version
end

function __fish_whiskjack_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_whiskjack_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_whiskjack_using_subcommand
    set -l cmd (__fish_whiskjack_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c whiskjack -n "__fish_whiskjack_needs_command" -s h -l help -d 'Print help'
complete -c whiskjack -n "__fish_whiskjack_needs_command" -s V -l version -d 'Print version'
complete -c whiskjack -n "__fish_whiskjack_needs_command" -f -a "run" -d 'Forward once. On a terminal the result is told in text; else it is one line of JSON on stdout, and logs go to stderr'
complete -c whiskjack -n "__fish_whiskjack_needs_command" -f -a "tail" -d 'Show lines as they appear: of the actions that are named, else of those of --config, else of all in the namespace. Nothing is forwarded'
complete -c whiskjack -n "__fish_whiskjack_needs_command" -f -a "watch" -d 'Forward again and again, until SIGTERM or Ctrl-C: then it finishes what it has begun, and saves the checkpoint'
complete -c whiskjack -n "__fish_whiskjack_needs_command" -f -a "backfill" -d 'Forward a range of the past, or some activations again. Ids are equal, so what was sent before is replaced and not doubled'
complete -c whiskjack -n "__fish_whiskjack_needs_command" -f -a "serve" -d 'Be an OpenWhisk action\'s container: answer /init and /run over HTTP'
complete -c whiskjack -n "__fish_whiskjack_needs_command" -f -a "deploy" -d 'Put this program on OpenWhisk, as an action that an alarm runs'
complete -c whiskjack -n "__fish_whiskjack_needs_command" -f -a "undeploy" -d 'Delete all that `deploy` has made, but not the checkpoint'
complete -c whiskjack -n "__fish_whiskjack_needs_command" -f -a "setup" -d 'Bring templates, policies, a pipeline and dashboards to Elasticsearch and Kibana, or to OpenSearch and OpenSearch Dashboards'
complete -c whiskjack -n "__fish_whiskjack_needs_command" -f -a "check" -d 'Check a configuration, the API, what is selected there, and the receivers, and change nothing'
complete -c whiskjack -n "__fish_whiskjack_needs_command" -f -a "status" -d 'Tell how far a forwarder has come, and what it is owed'
complete -c whiskjack -n "__fish_whiskjack_needs_command" -f -a "config" -d 'Write a configuration to begin with, its schema, or an old one in today\'s keys'
complete -c whiskjack -n "__fish_whiskjack_needs_command" -f -a "completions" -d 'Write completions of commands and options for a shell'
complete -c whiskjack -n "__fish_whiskjack_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand run" -l config -d 'The parameters that an action gets, in YAML or JSON. ${NAME}, ${NAME:default} and ${NAME:?message} are filled in from the environment; $${ stands for ${ itself' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand run" -l state -d 'Keep the checkpoint in this file; without it the platform keeps it, as an annotation of a package in the namespace' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand run" -l output -d 'Append the documents to this file as JSON lines, or write them to stdout (-), in the place of the receivers; the result is on stderr then, if it is stdout' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand run" -l limit -d 'Show so many of them at most' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand run" -l ca -d 'Certificates to trust at the receiver, PEM; instead of `logstash.ca`' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand run" -l cert -d 'Client certificate and its chain, PEM; instead of `logstash.cert`' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand run" -l key -d 'Its private key, PEM; instead of `logstash.key`' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand run" -l passphrase-file -d 'The passphrase of an encrypted key, on one line; instead of `logstash.passphrase`. The environment variable WHISKJACK_PASSPHRASE does the same' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand run" -l dry-run -d 'Show the documents that would be sent; nothing is sent, and no checkpoint is written'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand run" -l json -d 'Write JSON, also on a terminal; it is written by itself where stdout is not a terminal'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand run" -s h -l help -d 'Print help'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand tail" -l config -d 'Take `actions`, `lines`, `api` and `logs` from this configuration' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand tail" -l since -d 'Begin there: a span before now, or a time' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand tail" -s f -l follow -d 'Go on until Ctrl-C'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand tail" -l failed -d 'Only activations that failed, also if they printed nothing'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand tail" -l json -d 'Write JSON, also on a terminal; it is written by itself where stdout is not a terminal'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand tail" -s h -l help -d 'Print help'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand watch" -l config -d 'The parameters that an action gets, in YAML or JSON' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand watch" -l state -d 'Keep the checkpoint in this file; without it the platform keeps it' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand watch" -l every -d 'Time from the begin of a run to that of the next' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand watch" -l metrics -d 'Answer Prometheus there, at /metrics' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand watch" -l output -d 'Append the documents to this file as JSON lines, in the place of the receivers' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand watch" -l ca -d 'Certificates to trust at the receiver, PEM; instead of `logstash.ca`' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand watch" -l cert -d 'Client certificate and its chain, PEM; instead of `logstash.cert`' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand watch" -l key -d 'Its private key, PEM; instead of `logstash.key`' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand watch" -l passphrase-file -d 'The passphrase of an encrypted key, on one line; instead of `logstash.passphrase`. The environment variable WHISKJACK_PASSPHRASE does the same' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand watch" -l json -d 'Write JSON, also on a terminal; it is written by itself where stdout is not a terminal'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand watch" -s h -l help -d 'Print help'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand backfill" -l config -d 'The parameters that an action gets, in YAML or JSON' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand backfill" -l from -d 'The first start' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand backfill" -l to -d 'The last start; now if it is not given' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand backfill" -l state -d 'Keep the checkpoint in this file; without it the file is in this folder, its name tells the range, and the same command goes on with it' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand backfill" -l workers -d 'Connections at the same time, instead of `logstash.worker`' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand backfill" -l rate -d 'Most lines a second' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand backfill" -l activation -d 'Forward these activations again, whatever was sent of them, and nothing else' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand backfill" -l output -d 'Append the documents to this file as JSON lines, in the place of the receivers' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand backfill" -l ca -d 'Certificates to trust at the receiver, PEM; instead of `logstash.ca`' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand backfill" -l cert -d 'Client certificate and its chain, PEM; instead of `logstash.cert`' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand backfill" -l key -d 'Its private key, PEM; instead of `logstash.key`' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand backfill" -l passphrase-file -d 'The passphrase of an encrypted key, on one line; instead of `logstash.passphrase`. The environment variable WHISKJACK_PASSPHRASE does the same' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand backfill" -s h -l help -d 'Print help'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand serve" -l port -d 'Listen there; 0 for any, which is told on stderr' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand serve" -s h -l help -d 'Print help'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand deploy" -l config -d 'The action\'s parameters, in YAML or JSON. ${NAME} is filled in from the environment here and now, as for `whiskjack run`. The file is checked before anything is changed. What begins with __ is left out' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand deploy" -l name -d 'Name of the action. The trigger is NAME-alarm, the rule NAME-rule' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand deploy" -l api-ca -d 'Certificates to trust at the API, PEM; instead of `api.ca`' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand deploy" -l schedule -d 'When it runs, in UTC: minute, hour, day, month (by name) and weekday; with six fields the first is the second. At most once a minute' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand deploy" -l timeout -d 'Time limit of a run, such as 45s, 5m or 500ms. It must not be longer than the period of the schedule, or runs would overlap. Default: that period, 60s at most' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand deploy" -l memory -d 'Memory of the action' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand deploy" -l kind -d 'Runtime of the platform, one that speaks ActionLoop; default rust:1.34' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand deploy" -l docker -d 'Run in this image; without --zip the image must contain whiskjack' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand deploy" -l zip -d 'Code with `exec` at its root; default this program' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand deploy" -l ca -d 'Certificates to trust at the receiver, PEM; instead of `logstash.ca`' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand deploy" -l cert -d 'Client certificate and its chain, PEM; instead of `logstash.cert`' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand deploy" -l key -d 'Its private key, PEM; instead of `logstash.key`' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand deploy" -l passphrase-file -d 'The passphrase of an encrypted key, on one line; instead of `logstash.passphrase`. The environment variable WHISKJACK_PASSPHRASE does the same' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand deploy" -l wait -d 'How long to wait for the first run, 0s for not at all; default period, timeout and a minute together' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand deploy" -l dry-run -d 'Check everything, say what would be done, and change nothing'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand deploy" -l native -d 'Run in the platform\'s image for executables, which starts the program anew for each run'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand deploy" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand undeploy" -l config -d 'Only the key `api` is read' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand undeploy" -l name -d 'Name of the action. The trigger is NAME-alarm, the rule NAME-rule' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand undeploy" -l api-ca -d 'Certificates to trust at the API, PEM; instead of `api.ca`' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand undeploy" -l dry-run -d 'Check everything, say what would be done, and change nothing'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand undeploy" -s h -l help -d 'Print help'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand setup" -l elasticsearch -d 'Address of Elasticsearch or OpenSearch' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand setup" -l kibana -d 'Address of Kibana or OpenSearch Dashboards, with the path of a space if there is one; without it, dashboards are left out' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand setup" -l api-key-file -d 'The API key, `id:key` or that in base64, on one line' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand setup" -l user -d 'Name of the user' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand setup" -l password-file -d 'The user\'s password, on one line' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand setup" -l ca -d 'Certificates to trust, PEM; instead of the public ones' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand setup" -l overwrite -d 'Replace dashboards and searches that are there, with what people have changed in them'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand setup" -l dry-run -d 'Say what would be changed, and change nothing'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand setup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand check" -l config -d 'The parameters that an action gets, in YAML or JSON, as for `whiskjack run`. Without it only the API is checked' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand check" -l state -d 'The file that `whiskjack run` keeps the checkpoint in' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand check" -l name -d 'Check for the deployed action of this name, whose checkpoint is its own, and not for the command' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand check" -l ca -d 'Certificates to trust at the receiver, PEM; instead of `logstash.ca`' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand check" -l cert -d 'Client certificate and its chain, PEM; instead of `logstash.cert`' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand check" -l key -d 'Its private key, PEM; instead of `logstash.key`' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand check" -l passphrase-file -d 'The passphrase of an encrypted key, on one line; instead of `logstash.passphrase`. The environment variable WHISKJACK_PASSPHRASE does the same' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand check" -l send -d 'Send one test document to each receiver'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand check" -l json -d 'Write JSON, also on a terminal; it is written by itself where stdout is not a terminal'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand status" -l config -d 'The parameters that an action gets, in YAML or JSON, as for `whiskjack run`. Without it those of the deployed action serve' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand status" -l state -d 'The file that `whiskjack run` keeps the checkpoint in' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand status" -l name -d 'Name of the deployed action, instead of whiskjack; it must be there' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand status" -l max-lag -d 'The longest lag that is fine, such as 10m or 90s' -r
complete -c whiskjack -n "__fish_whiskjack_using_subcommand status" -l json -d 'Write JSON, also on a terminal; it is written by itself where stdout is not a terminal'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand config; and not __fish_seen_subcommand_from schema example migrate help" -s h -l help -d 'Print help'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand config; and not __fish_seen_subcommand_from schema example migrate help" -f -a "schema" -d 'Write the JSON Schema, for editors'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand config; and not __fish_seen_subcommand_from schema example migrate help" -f -a "example" -d 'Write a configuration with every key, its default and its meaning; all but the necessary ones are comments'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand config; and not __fish_seen_subcommand_from schema example migrate help" -f -a "migrate" -d 'Write to stdout what the configuration of a forwarder of 2017 is in today\'s keys: YAML with comments'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand config; and not __fish_seen_subcommand_from schema example migrate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand config; and __fish_seen_subcommand_from schema" -s h -l help -d 'Print help'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand config; and __fish_seen_subcommand_from example" -s h -l help -d 'Print help'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand config; and __fish_seen_subcommand_from migrate" -l config -d 'The file of the old configuration, JSON or YAML' -r -F
complete -c whiskjack -n "__fish_whiskjack_using_subcommand config; and __fish_seen_subcommand_from migrate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "schema" -d 'Write the JSON Schema, for editors'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "example" -d 'Write a configuration with every key, its default and its meaning; all but the necessary ones are comments'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "migrate" -d 'Write to stdout what the configuration of a forwarder of 2017 is in today\'s keys: YAML with comments'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand completions" -s h -l help -d 'Print help'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand help; and not __fish_seen_subcommand_from run tail watch backfill serve deploy undeploy setup check status config completions help" -f -a "run" -d 'Forward once. On a terminal the result is told in text; else it is one line of JSON on stdout, and logs go to stderr'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand help; and not __fish_seen_subcommand_from run tail watch backfill serve deploy undeploy setup check status config completions help" -f -a "tail" -d 'Show lines as they appear: of the actions that are named, else of those of --config, else of all in the namespace. Nothing is forwarded'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand help; and not __fish_seen_subcommand_from run tail watch backfill serve deploy undeploy setup check status config completions help" -f -a "watch" -d 'Forward again and again, until SIGTERM or Ctrl-C: then it finishes what it has begun, and saves the checkpoint'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand help; and not __fish_seen_subcommand_from run tail watch backfill serve deploy undeploy setup check status config completions help" -f -a "backfill" -d 'Forward a range of the past, or some activations again. Ids are equal, so what was sent before is replaced and not doubled'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand help; and not __fish_seen_subcommand_from run tail watch backfill serve deploy undeploy setup check status config completions help" -f -a "serve" -d 'Be an OpenWhisk action\'s container: answer /init and /run over HTTP'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand help; and not __fish_seen_subcommand_from run tail watch backfill serve deploy undeploy setup check status config completions help" -f -a "deploy" -d 'Put this program on OpenWhisk, as an action that an alarm runs'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand help; and not __fish_seen_subcommand_from run tail watch backfill serve deploy undeploy setup check status config completions help" -f -a "undeploy" -d 'Delete all that `deploy` has made, but not the checkpoint'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand help; and not __fish_seen_subcommand_from run tail watch backfill serve deploy undeploy setup check status config completions help" -f -a "setup" -d 'Bring templates, policies, a pipeline and dashboards to Elasticsearch and Kibana, or to OpenSearch and OpenSearch Dashboards'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand help; and not __fish_seen_subcommand_from run tail watch backfill serve deploy undeploy setup check status config completions help" -f -a "check" -d 'Check a configuration, the API, what is selected there, and the receivers, and change nothing'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand help; and not __fish_seen_subcommand_from run tail watch backfill serve deploy undeploy setup check status config completions help" -f -a "status" -d 'Tell how far a forwarder has come, and what it is owed'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand help; and not __fish_seen_subcommand_from run tail watch backfill serve deploy undeploy setup check status config completions help" -f -a "config" -d 'Write a configuration to begin with, its schema, or an old one in today\'s keys'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand help; and not __fish_seen_subcommand_from run tail watch backfill serve deploy undeploy setup check status config completions help" -f -a "completions" -d 'Write completions of commands and options for a shell'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand help; and not __fish_seen_subcommand_from run tail watch backfill serve deploy undeploy setup check status config completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "schema" -d 'Write the JSON Schema, for editors'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "example" -d 'Write a configuration with every key, its default and its meaning; all but the necessary ones are comments'
complete -c whiskjack -n "__fish_whiskjack_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "migrate" -d 'Write to stdout what the configuration of a forwarder of 2017 is in today\'s keys: YAML with comments'
