-- Who may carry how much risk, and what holds the score down?
-- max_risky_weight and min_cash_cents are the suitability limits that follow from it.
select
    coalesce(limiting_part, 'no questionnaire') as limiting_part,
    count(*) as goals,
    avg(risk_score) as mean_risk_score,
    avg(capacity_score) as mean_capacity_score,
    avg(willingness_score) as mean_willingness_score,
    count(*) filter (where consistency_penalty > 0) as contradictory_answers,
    avg(max_risky_weight) as mean_max_risky_weight,
    sum(min_cash_cents) / 100 as min_cash_usd,
    count(issue) as with_issue
from client_profile
group by all
order by goals desc, limiting_part;
