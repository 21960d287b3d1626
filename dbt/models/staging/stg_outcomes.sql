{{ config(materialized='view') }}

with source as (

    select * from {{ source('advice', 'client_outcome') }}

),

renamed as (

    select
        run_id,
        account_id,
        client_id,
        outcome,
        allocation_run_id,
        trigger,
        risk_score,
        drift,
        objective,
        kkt_residual,
        solver,
        relaxed_constraints,
        wealth_cents,
        cash_before_cents,
        sells_cents,
        buys_cents,
        fees_cents,
        cash_after_cents,
        sentence
    from source

)

select * from renamed
