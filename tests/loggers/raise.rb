class NoMoney < StandardError; end
def inner = raise(ArgumentError, "no order\nof that number")
def pay
  inner
rescue ArgumentError
  raise NoMoney, "broke"
end
begin
  pay
rescue NoMoney => error
  warn error.full_message(highlight: false)
end
begin
  [1].frist
rescue NoMethodError => error
  warn error.full_message(highlight: false)
end
pay
