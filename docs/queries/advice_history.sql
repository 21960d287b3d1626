-- What was an account advised, session by session, and what became of it after 21 sessions?
-- Results are null until the 21 sessions are over. Here the account that was advised most often.
select
    advice.account_id,
    advice.session_date,
    advice.outcome,
    advice.trade_count,
    advice.filled_trade_count,
    advice.client_verdict,
    advice.turnover,
    advice.risk_score,
    result.advised_return_21d,
    result.unchanged_return_21d,
    result.gain_over_unchanged_21d,
    advice.sentence
from advice
left join advice_result as result using (run_id, account_id)
where advice.account_id = (
    select account_id from advice group by account_id order by count(*) desc, account_id limit 1
)
order by advice.session_date desc;
