require "logger"
class NoMoney < StandardError; end
class NotPaid < StandardError; end
def inner(number)
  raise ArgumentError, "no order\nof that number" if number > 3
end
def bank(number)
  inner(number)
rescue ArgumentError
  raise NoMoney, "broke"
end
def pay(number)
  [number].each { |order| bank(order) }
rescue NoMoney => e
  raise NotPaid, "order #{number} is not paid:\nthe bank says #{e.message}"
end
log = Logger.new($stderr)
begin
  pay(4)
rescue => e
  log.error(e)
  log.error("it failed: #{e.full_message(highlight: false)}")
  log.error("it failed: #{e.message} (#{e.class})\n#{e.backtrace.join("\n")}")
  warn e.full_message(highlight: false)
end
warn "next"
Thread.new { pay(5) }.join rescue warn "joined"
warn "next"
def deep(n) = deep(n + 1)
begin
  deep(0)
rescue SystemStackError => e
  warn e.full_message(highlight: false).lines.first(8)
end
pay(6)
